"""Small networks in checkpoints that hold everything a checkpoint may hold."""

from __future__ import annotations

import math
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ltr.admin import checkpoint
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter, StatValue
from ltr.models.tracking.dimpnet import dimpnet_small


def random_statistics(net: nn.Module, seed: int) -> nn.Module:
    """Batch norms and biases as after training: no output is trivial, nothing is equal by chance."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in net.state_dict().items():
        if name.endswith('running_var'):
            value.copy_(1 + torch.rand(value.shape, generator=generator))
        elif name.endswith(('running_mean', '.bias')):
            value.copy_(0.1 * torch.randn(value.shape, generator=generator))
    return net.eval()


def contents_of(net: nn.Module, **changes: Any) -> dict[str, Any]:
    """A checkpoint as the trainer writes it, with awkward values where plain data allows them."""
    meter, rate = AverageMeter(), StatValue()
    meter.update(0.1, 3)
    meter.new_epoch()
    rate.update(2e-8)
    settings = Settings()
    settings.description, settings.lr, settings.sigma = 'a\nb ä', {'tcl': 2e-8, 'bbe': 1e-7}, (0.25, math.inf)
    settings.by_number = {1: 'one', 2: (3, [4])}
    return {'epoch': 7, 'actor_type': 'CrossModalActor', 'net_type': type(net).__name__,
            'net': OrderedDict((name, value.clone()) for name, value in net.state_dict().items()),
            'net_info': {'recipe': 'd3', 'tracker': 'cmd_dimp', 'crop_size': 144, 'teacher': 'f00d' * 16},
            'constructor': getattr(net, 'constructor', None), 'optimizer': {'state': {0: torch.ones(2)}},
            'stats': OrderedDict(train=OrderedDict([('Loss/total', meter), ('LR', rate)])), 'settings': settings,
            'rng': {'torch': torch.zeros(4, dtype=torch.uint8)}, **changes}


@pytest.fixture(scope='session')
def parent_net() -> nn.Module:
    torch.manual_seed(1)
    return random_statistics(dimpnet_small(), 1)


@pytest.fixture
def parent(tmp_path: Path, parent_net: nn.Module) -> Path:
    return checkpoint.save(tmp_path / 'a1.pth.tar', contents_of(parent_net, epoch=1))


@pytest.fixture
def child(tmp_path: Path, parent_net: nn.Module) -> Path:
    """The parent with two trained tensors, one of them only in the sign of its zeros."""
    contents = contents_of(parent_net)
    state = contents['net']
    state['classifier.filter_initializer.filter_conv.weight'] += 2e-8
    state['bb_regressor.iou_predictor.bias'] = torch.full((1,), -0.0)
    return checkpoint.save(tmp_path / 'd3.pth.tar', contents)
