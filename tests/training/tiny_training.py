"""A network, data and settings so small that a training run takes a moment; a plugin for the tests."""

from __future__ import annotations

import os
import random
import signal
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ltr.actors.base_actor import BaseActor
from ltr.admin.model_constructor import model_constructor
from ltr.admin.settings import Settings
from ltr.trainers import LTRTrainer

entry_points = {
    'pytracking.networks': {'tiny_net': 'tiny_training:tiny_net', 'tiny_resnet': 'tiny_training:tiny_resnet',
                            'dimpnet18': 'ltr.models.tracking.dimpnet:dimpnet18'},
    'pytracking.train_settings': {'tiny': 'tiny_settings', 'dimp': 'ltr.train_settings.dimp'},
}


class TinyNet(nn.Module):
    """Batch norm and dropout, so that buffers and torch's generator matter."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.feature_extractor = nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))
        self.head = nn.Sequential(nn.ReLU(), nn.Dropout(0.5), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.feature_extractor(x))


@model_constructor
def tiny_net(width: int = 4, backbone_pretrained: bool = True) -> TinyNet:
    net = TinyNet(width)
    net.asked_for_pretrained = backbone_pretrained  # type: ignore[assignment]
    return net


class TinyResNet(nn.Module):
    """Has the parts of a network with a ResNet backbone that loading looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_extractor = nn.ModuleDict({name: nn.Linear(2, 2) for name in (
            'conv1', 'layer3', 'layer4', 'fc')})
        self.head = nn.Linear(2, 1)


@model_constructor
def tiny_resnet() -> TinyResNet:
    return TinyResNet()


class TinyData(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Draws from all three generators, in the way augmentations do."""

    def __init__(self, length: int = 12) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        x = torch.tensor([random.random(), np.random.rand(), torch.rand(()).item()])
        return {'x': x + index / self.length, 'y': x.sum().reshape(1)}


class TinyLoader(torch.utils.data.DataLoader[dict[str, Tensor]]):
    stack_dim = 0

    def __init__(self, name: str = 'train', training: bool = True, epoch_interval: int = 1, length: int = 12,
                 **kwargs: Any) -> None:
        super().__init__(TinyData(length), **{'batch_size': 4, 'shuffle': True, **kwargs})
        self.name, self.training, self.epoch_interval = name, training, epoch_interval


class TinyActor(BaseActor):
    """Squared error; `at` maps (epoch, step) to a function of (actor, loss) that stands in for what goes
    wrong."""

    def __init__(self, net: nn.Module, at: dict[tuple[int, int], Any] | None = None) -> None:
        super().__init__(net, nn.MSELoss())
        self.at = at or {}
        self.seen: list[tuple[int, bool, bool]] = []
        self.steps: dict[int, int] = {}

    def __call__(self, data: Any) -> tuple[Tensor, dict[str, float]]:
        epoch = data['epoch']
        assert isinstance(data['settings'], Settings)
        self.seen.append((epoch, self.net.training, torch.is_grad_enabled()))
        self.steps[epoch] = self.steps.get(epoch, 0) + 1
        loss = self.objective(self.net(data['x']), data['y'])
        event = self.at.get((epoch, self.steps[epoch]))
        loss = loss if event is None else event(self, loss)
        return loss, {'Loss/total': loss.item()}


def kill(actor: TinyActor, loss: Tensor) -> Tensor:
    os.kill(os.getpid(), signal.SIGKILL)
    return loss


def make_trainer(settings: Settings, at: dict[tuple[int, int], Any] | None = None, workers: int = 0,
                 length: int = 12, **kwargs: Any) -> LTRTrainer:
    """Trainer with Adam, two parameter groups and a scheduler."""
    net = tiny_net()
    optimizer = torch.optim.Adam([{'params': net.feature_extractor.parameters(), 'lr': 0.02},
                                  {'params': net.head.parameters()}], lr=0.05)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    loader = TinyLoader(length=length, num_workers=workers)
    return LTRTrainer(TinyActor(net, at), [loader], optimizer, settings, scheduler, **kwargs)
