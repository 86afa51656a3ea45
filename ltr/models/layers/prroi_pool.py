"""Precise RoI pooling in plain torch, exact and differentiable in features and boxes.

Reference: Jiang et al., "Acquisition of Localization Confidence for Accurate Object Detection", ECCV 2018. The integral
of a bilinear interpolation over a bin is separable: with H(t) the integral of max(0, 1 - |u|) up to t, cell i
contributes H(e_{k+1} - i) - H(e_k - i) to the bin between the edges e_k and e_{k+1}.

Legend: B images, P boxes an image, C channels, H x W cells, S bins a side.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _bin_weights(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """Weight of every cell in every bin, (..., bins, cells), for intervals [low, high] (...) in cells."""
    steps = torch.arange(bins + 1, device=low.device, dtype=low.dtype) / bins
    edges = low[..., None] + (high - low)[..., None] * steps
    centres = torch.arange(cells, device=low.device, dtype=low.dtype)
    t = (edges[..., None] - centres).clamp(-1.0, 1.0)
    cumulative = 0.5 + t - 0.5 * t * t.abs()
    return cumulative[..., 1:, :] - cumulative[..., :-1, :]


def prroi_pool_boxes(features_BCHW: Tensor, boxes_BP4: Tensor, size: int, scale: float) -> Tensor:
    """Pool P boxes of every image.

    Args:
        features_BCHW: feature maps.
        boxes_BP4: `xyxy`, image px; not clipped, cells outside the map count as zero.
        size: S, bins a side.
        scale: feature cells a pixel, such as 1/16.

    Returns:
        (B, P, C, S, S) means over the bins; zero where a box has no area. Gradient flows to both inputs.
    """
    batch, channels, height, width = features_BCHW.shape
    boxes = boxes_BP4.shape[1]
    x1, y1, x2, y2 = (boxes_BP4 * scale).unbind(-1)
    area = ((x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)) / (size * size)
    x2, y2 = torch.maximum(x1, x2), torch.maximum(y1, y2)
    weight_x = _bin_weights(x1, x2, size, width).reshape(batch, boxes * size, width)
    weight_y = _bin_weights(y1, y2, size, height)
    rows = features_BCHW.reshape(batch, channels * height, width) @ weight_x.transpose(1, 2)
    rows = rows.reshape(batch, channels, height, boxes, size).permute(0, 3, 2, 1, 4)
    pooled = weight_y @ rows.reshape(batch, boxes, height, channels * size)
    pooled = pooled.reshape(batch, boxes, size, channels, size).permute(0, 1, 3, 2, 4)
    inverse = torch.where(area > 0, 1 / torch.where(area > 0, area, 1), 0)
    return pooled * inverse[:, :, None, None, None]


def prroi_pool(features: Tensor, rois: Tensor, size: int, scale: float) -> Tensor:
    """Pool regions listed as (image index, x1, y1, x2, y2).

    Args:
        features: (B, C, H, W).
        rois: (R, 5), image px.
        size: bins a side.
        scale: feature cells a pixel.

    Returns:
        (R, C, size, size), as `prroi_pool_boxes`.
    """
    return prroi_pool_boxes(features[rois[:, 0].long()], rois[:, None, 1:], size, scale)[:, 0]
