"""A backbone whose batch norms are measured on thermal crops (AdaBN: Li et al., 2016): no label, no gradient.

Given weights often have their norms folded into the convolutions: mean 0, variance 1. Such norms are unfolded first:
they get the statistics of their own inputs on RGB, and a weight and bias with which the network computes what it did.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from cmd_plugin.reproduce.store import Views, crops_of

VIEWS, BATCH = 120, 20
"""Samples of which the norms are measured; crops at a time."""


@torch.no_grad()
def watch(backbone: nn.Module, batches: Sequence[Tensor], note: Callable[[Any, Any], None]) -> None:
    """Run batches in evaluation mode and tell `note(norm, inputs)` of every batch norm that they pass.

    A backbone may have layers behind those that are wanted: they are not run.
    """
    hooks = [module.register_forward_pre_hook(note) for module in backbone.modules()
             if isinstance(module, nn.BatchNorm2d)]
    backbone.eval()
    for batch in batches:
        backbone(batch)
    for hook in hooks:
        hook.remove()


def norms_of(backbone: nn.Module, batch: Tensor) -> list[Any]:
    """Batch norms that a batch passes, in that order."""
    found: list[Any] = []
    watch(backbone, [batch], lambda norm, _: found.append(norm))
    return found


@torch.no_grad()
def unfold(backbone: Any, batches: Sequence[Tensor]) -> None:
    """Give every norm the statistics of its inputs, and leave the function as it is.

    Args:
        backbone: changed in place, in evaluation mode.
        batches: (N, 3, H, W) each, as the network reads them.
    """
    sums: dict[Any, Any] = {}

    def note(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].double()
        count = torch.full((values.shape[1],), values.numel() / values.shape[1])
        sums[norm] = sums.get(norm, 0) + torch.stack(
            [count, values.sum((0, 2, 3)).cpu(), values.square().sum((0, 2, 3)).cpu()])

    watch(backbone, batches, note)
    for norm, (count, total, squares) in sums.items():
        mean = total / count
        variance = squares / count - mean ** 2
        old_mean, old_variance, weight, bias = (value.double().cpu() for value in (
            norm.running_mean, norm.running_var, norm.weight, norm.bias))
        slope = weight / (old_variance + norm.eps).sqrt()
        for to, value in ((norm.running_mean, mean), (norm.running_var, variance),
                          (norm.weight, slope * (variance + norm.eps).sqrt()),
                          (norm.bias, bias + slope * (mean - old_mean))):
            to.copy_(value)


@torch.no_grad()
def measure(backbone: Any, batches: Sequence[Tensor]) -> None:
    """Replace the statistics of every norm by the mean of those of the batches; weights and biases stay.

    Args:
        backbone: changed in place; every layer sees what the renewed ones before it make.
        batches: as in `unfold`, some dozens of crops each.
    """
    kept = []
    norms = norms_of(backbone, batches[0])
    for norm in norms:
        kept.append(norm.momentum)
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over batches
        norm.train()
    for batch in batches:
        backbone(batch)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
        norm.eval()


def renormed(net: nn.Module, views: Views, device: torch.device) -> nn.Module:
    """A copy of a network whose backbone is unfolded on RGB crops and measured on thermal ones.

    Args:
        net: the parent.
        views: samples; the first `VIEWS` of them are looked at.
        device: where the backbone runs.
    """
    made: Any = copy.deepcopy(net).to(device)
    crops = torch.cat([crops_of(sample) for sample in islice(views, VIEWS)]).to(device)
    unfold(made.feature_extractor, crops[0::2].split(BATCH))
    measure(made.feature_extractor, crops[1::2].split(BATCH))
    return made.cpu()
