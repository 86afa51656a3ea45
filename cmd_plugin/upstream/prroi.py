"""Precise RoI pooling in plain torch, under the names of the extension that the stock toolkit compiles.

Exact and differentiable in features and boxes, on any device. Reference: Jiang et al., "Acquisition of Localization
Confidence for Accurate Object Detection", ECCV 2018; the integral of a bilinear interpolation over a bin is separable.

Legend: B images, R regions, C channels, H x W cells, P x Q bins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _weights(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """Weight of every cell in every bin of the intervals [low, high] (R), in cells: (R, bins, cells)."""
    steps = torch.arange(bins + 1, device=low.device, dtype=low.dtype) / bins
    edges = low[:, None] + (high - low)[:, None] * steps
    t = (edges[..., None] - torch.arange(cells, device=low.device, dtype=low.dtype)).clamp(-1, 1)
    integral = 0.5 + t - 0.5 * t * t.abs()
    return integral[:, 1:] - integral[:, :-1]


def prroi_pool2d(features: Tensor, rois: Tensor, pooled_height: int, pooled_width: int,
                 spatial_scale: float) -> Tensor:
    """Means of the bilinear interpolation over the bins of regions.

    Args:
        features: (B, C, H, W).
        rois: (R, 5), image index and `xyxy` in image px; not clipped, cells outside the map count as zero.
        pooled_height, pooled_width: P and Q.
        spatial_scale: feature cells a pixel.

    Returns:
        (R, C, P, Q); zero where a region has no area. Gradient flows to features and boxes.
    """
    height, width = features.shape[-2:]
    x1, y1, x2, y2 = (rois[:, 1:].to(features.dtype) * spatial_scale).unbind(1)
    area = (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0) / (pooled_height * pooled_width)
    weight_x = _weights(x1, torch.maximum(x1, x2), pooled_width, width)
    weight_y = _weights(y1, torch.maximum(y1, y2), pooled_height, height)
    image = rois[:, 0].long()
    order, parts = [], []
    # By image: to gather the map of every region would take R times the memory.
    for index in image.unique().tolist():
        chosen = (image == index).nonzero()[:, 0]
        rows = torch.einsum('chw,rqw->rchq', features[index], weight_x[chosen])
        parts.append(torch.einsum('rph,rchq->rcpq', weight_y[chosen], rows))
        order.append(chosen)
    if not parts:
        return features.new_zeros(0, features.shape[1], pooled_height, pooled_width)
    pooled = torch.cat(parts)[torch.cat(order).argsort()]
    inverse = torch.where(area > 0, 1 / torch.where(area > 0, area, 1), 0)
    return pooled * inverse[:, None, None, None]


class PrRoIPool2D(nn.Module):
    """`prroi_pool2d` as a module; arguments as there."""

    def __init__(self, pooled_height: int, pooled_width: int, spatial_scale: float) -> None:
        super().__init__()
        self.pooled_height, self.pooled_width = int(pooled_height), int(pooled_width)
        self.spatial_scale = float(spatial_scale)

    def forward(self, features: Tensor, rois: Tensor) -> Tensor:
        """(R, C, P, Q)."""
        return prroi_pool2d(features, rois, self.pooled_height, self.pooled_width, self.spatial_scale)

    def extra_repr(self) -> str:
        """Sizes and scale."""
        return f'{self.pooled_height} x {self.pooled_width}, scale {self.spatial_scale:g}'
