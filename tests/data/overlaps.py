"""Overlap of boxes by torchvision, as a second opinion."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_convert, box_iou


def iou_xywh(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of boxes `xywh` (..., 4), broadcast against each other; (...)."""
    first, second = torch.broadcast_tensors(first, second)
    pairs = [box_iou(*(box_convert(box[None], 'xywh', 'xyxy') for box in pair))
             for pair in zip(first.reshape(-1, 4), second.reshape(-1, 4), strict=True)]
    return torch.cat(pairs).reshape(first.shape[:-1])
