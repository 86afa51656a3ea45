"""The network that tracks, made from the one that was trained, as a preset of speed asks for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pytracking.features.folding import tracking_copy
from pytracking.features.graphs import ReplayedModule
from pytracking.features.speed import Speed

EVERY_FRAME = ('feature_extractor', 'classifier.feature_extractor', 'bb_regressor.conv3_1t', 'bb_regressor.conv3_2t',
               'bb_regressor.conv4_1t', 'bb_regressor.conv4_2t')
"""Parts that every frame passes through, and whose work is convolutions; networks have those that they have. What
learns from the first frame (modulation, filter) and the linear layers stay in float32."""

DTYPE = torch.float16
"""It has the mantissa of the TF32 that CUDA convolutions use anyway. That of bfloat16 is 8 times coarser: with it in
the backbone alone, boxes of the golden sequence moved by up to 38 px."""


def prepared(net: nn.Module, speed: Speed) -> nn.Module:
    """A network for inference: the same function, to the rounding that `speed` allows.

    Args:
        net: on its device; stays as it is, and shares nothing with the result.
        speed: see there.

    Returns:
        In eval mode, without gradients.
    """
    if not speed.folded:
        return copy.deepcopy(net).eval().requires_grad_(False)
    made = tracking_copy(net)
    if speed.half:
        for path in EVERY_FRAME:
            _replace(made, path, _in_half)
    if speed.graphs:
        for path in EVERY_FRAME[:2]:  # those of the regressor are part of box refinement, which is recorded as a whole
            _replace(made, path, ReplayedModule)
    return made


def _replace(net: nn.Module, path: str, change: Callable[[nn.Module], nn.Module]) -> None:
    """Change the part of a network at a dotted path, if it has one."""
    *parents, name = path.split('.')
    parent: Any = net
    for step in parents:
        parent = getattr(parent, step, None)
    part = getattr(parent, name, None)
    if isinstance(part, nn.Module):
        parent.add_module(name, change(part))


def _in_half(part: nn.Module) -> nn.Module:
    if not isinstance(part, nn.Sequential):
        return InHalf(part)
    for index, child in part.named_children():
        if any(True for _ in child.parameters()):  # the norm of a head, which would overflow, has none
            part.add_module(index, InHalf(child))
    return part


class InHalf(nn.Module):
    """A module with its weights in float16, for inputs and outputs of float32.

    Args:
        module: is changed.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.to(DTYPE)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """As the module; outputs are a tensor, or a dictionary of them."""
        found = self.module(x.to(DTYPE), *args, **kwargs)
        if isinstance(found, Tensor):
            return found.float()
        return type(found)((name, value.float()) for name, value in found.items())
