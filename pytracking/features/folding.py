"""The copy of a network that tracks: batch norms folded into the layers before them, weights laid out for speed."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from torchvision.models.resnet import BasicBlock, Bottleneck

from ltr.models.backbone.resnet import ResNet
from ltr.models.layers.blocks import LinearBlock
from ltr.models.layers.winograd import WinogradConv2d

IN_ORDER = (nn.Sequential, BasicBlock, Bottleneck, ResNet, LinearBlock)
"""Modules that apply a batch norm to nothing but the output of the convolution or linear layer listed before it."""


def tracking_copy(net: nn.Module) -> nn.Module:
    """Copy of a network for inference: the same function up to rounding, from fewer and faster operations.

    Args:
        net: stays as it is, and shares nothing with the copy.

    Returns:
        In eval mode, without gradients. Batch norms that follow a convolution or linear layer in one of the modules
        of `IN_ORDER` are folded into it and stand as `nn.Identity`; others stay. 3x3 convolutions are
        `WinogradConv2d`. Weights of convolutions are channels last, as the features are (see `ResNet`), so that they
        need no conversion in every call.
    """
    copied = copy.deepcopy(net).eval().requires_grad_(False)
    for module in list(copied.modules()):
        if isinstance(module, IN_ORDER):
            _fold(module)
    for module in list(copied.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d) and WinogradConv2d.takes(child):
                module.add_module(name, WinogradConv2d.of(child))
    return copied.to(memory_format=torch.channels_last)


def _fold(module: nn.Module) -> None:
    children = list(module.named_children())
    for (name, layer), (norm_name, norm) in itertools.pairwise(children):
        # Without running statistics a norm depends on the batch, even in eval mode.
        if not isinstance(norm, _BatchNorm) or norm.running_mean is None:
            continue
        if isinstance(layer, nn.Conv2d):
            module.add_module(name, fuse_conv_bn_eval(layer, norm))
        elif isinstance(layer, nn.Linear):
            module.add_module(name, fuse_linear_bn_eval(layer, norm))
        else:
            continue
        module.add_module(norm_name, nn.Identity())
