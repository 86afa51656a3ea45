"""A small network and batches of random pairs."""

from __future__ import annotations

import copy

import pytest
import torch

from cmd_plugin.actor import CrossModalActor
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES
from ltr.models.tracking.dimpnet import dimpnet_small

TRAINED = ('b1', 'b2', 'c1', 'd3')


def small_net(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    net = dimpnet_small()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net


def make_batch(pairs: int = 2, seed: int = 0) -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    box = torch.tensor([58.0, 55, 30, 28]).expand(1, pairs, 4) + torch.rand(1, pairs, 4, generator=g) * 6
    proposals = box[:, :, None] + torch.rand(1, pairs, 5, 4, generator=g) * 8
    grid = torch.arange(10.0)
    label = torch.exp(-((grid[:, None] - 4.5) ** 2 + (grid - 4.5) ** 2) / 0.5).expand(1, pairs, 10, 10)
    return {'train_images': torch.randn(1, pairs, 6, 144, 144, generator=g),
            'test_images': torch.randn(1, pairs, 6, 144, 144, generator=g),
            'train_anno': box, 'test_anno': box, 'test_proposals': proposals,
            'proposal_iou': torch.rand(1, pairs, 5, generator=g), 'test_label': label}


def actor_of(recipe: CMDRecipe | str, seed: int = 0) -> CrossModalActor:
    student = small_net(seed)
    return CrossModalActor(student, copy.deepcopy(student), RECIPES[recipe] if isinstance(recipe, str) else recipe)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    return make_batch()
