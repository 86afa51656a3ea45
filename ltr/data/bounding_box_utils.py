"""Conversions and overlap of boxes given as tensors (..., 4); gradient flows through all of them."""

from __future__ import annotations

import torch
from torch import Tensor


def xywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Top-left corner and size to two corners, (..., 4)."""
    return torch.cat((boxes[..., :2], boxes[..., :2] + boxes[..., 2:]), dim=-1)


def xyxy_to_xywh(boxes: Tensor) -> Tensor:
    """Two corners to top-left corner and size, (..., 4)."""
    return torch.cat((boxes[..., :2], boxes[..., 2:] - boxes[..., :2]), dim=-1)


def xywh_to_cxcywh(boxes: Tensor) -> Tensor:
    """Top-left corner and size to centre and size, (..., 4)."""
    return torch.cat((boxes[..., :2] + boxes[..., 2:] / 2, boxes[..., 2:]), dim=-1)


def cxcywh_to_xywh(boxes: Tensor) -> Tensor:
    """Centre and size to top-left corner and size, (..., 4)."""
    return torch.cat((boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., 2:]), dim=-1)


def iou_xywh(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of boxes `xywh`.

    Args:
        first: (..., 4).
        second: (..., 4), broadcast against `first`.

    Returns:
        (...) in [0, 1]; 0 where the union is empty.
    """
    corner_a, corner_b = xywh_to_xyxy(first), xywh_to_xyxy(second)
    top_left = torch.maximum(corner_a[..., :2], corner_b[..., :2])
    bottom_right = torch.minimum(corner_a[..., 2:], corner_b[..., 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=-1)
    union = first[..., 2:].prod(dim=-1) + second[..., 2:].prod(dim=-1) - intersection
    return torch.where(union > 0, intersection / union.where(union > 0, torch.ones_like(union)),
                       torch.zeros_like(union))
