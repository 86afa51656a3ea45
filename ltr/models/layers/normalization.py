"""Normalisation of features."""

from __future__ import annotations

import math

from torch import Tensor, nn


class InstanceL2Norm(nn.Module):
    """Scale each image of (N, C, H, W) to a fixed norm over all of C, H and W; gradient flows.

    `x * scale * sqrt(C H W / (sum x^2 + eps))`; without `size_average` the C H W is left out.
    """

    def __init__(self, size_average: bool = True, eps: float = 1e-5, scale: float = 1.0) -> None:
        super().__init__()
        self.size_average = size_average
        self.eps = eps
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        size = x[0].numel() if self.size_average else 1
        energy = x.flatten(1).square().sum(dim=1) + self.eps
        return x * (self.scale * math.sqrt(size) * energy.rsqrt()).view(-1, 1, 1, 1)
