"""Batch norm over the batches of all processes of a run, so that sharing a batch does not change its statistics.

`torch.nn.SyncBatchNorm` is the same for GPUs alone. Reference: Ioffe and Szegedy, "Batch Normalization", 2015.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ltr.admin import distributed


class _Mean(torch.autograd.Function):
    """Mean over all processes. Every process's loss depends on it, so its gradient is the mean of theirs as well."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return distributed.mean(values.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return distributed.mean(gradient.clone())


def sync_batch_norms(net: nn.Module) -> None:
    """Let the batch norms of a network that are in training mode use the batches of all processes.

    Each process must have equally many samples. Names, classes and weights of the modules stay.
    """
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            module.forward = MethodType(_forward, module)  # type: ignore[method-assign]


def _forward(self: _BatchNorm, x: Tensor) -> Tensor:
    """(N, C, ...) to the same shape; gradient flows, also to the samples of the other processes."""
    if not self.training and self.running_mean is not None:
        return type(self).forward(self, x)
    axes = [axis for axis in range(x.dim()) if axis != 1]
    shape = [1, -1] + [1] * (x.dim() - 2)
    mean = _Mean.apply(x.mean(axes))
    centred = x - mean.view(shape)
    variance = _Mean.apply(centred.square().mean(axes))
    if self.training and self.running_mean is not None:
        _track(self, mean.detach(), variance.detach(), distributed.world() * x.numel() // x.shape[1])
    x = centred * torch.rsqrt(variance + self.eps).view(shape)
    return x if self.weight is None else x * self.weight.view(shape) + self.bias.view(shape)


@torch.no_grad()
def _track(norm: _BatchNorm, mean: Tensor, variance: Tensor, count: int) -> None:
    """Running statistics, with the unbiased variance, as torch keeps them."""
    assert norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    step = 1 / int(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, step)
    norm.running_var.lerp_(variance * (count / max(count - 1, 1)), step)
