"""Conversions of boxes given as tensors (..., 4), through which gradient flows, and the one rule for boxes outside."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def xywh_to_cxcywh(boxes: Tensor) -> Tensor:
    """Top-left corner and size to centre and size, (..., 4)."""
    return torch.cat((boxes[..., :2] + boxes[..., 2:] / 2, boxes[..., 2:]), dim=-1)


def cxcywh_to_xywh(boxes: Tensor) -> Tensor:
    """Centre and size to top-left corner and size, (..., 4)."""
    return torch.cat((boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., 2:]), dim=-1)


def xywh_to_relative(boxes: Tensor, reference_wh: Tensor) -> Tensor:
    """Top-left corner and size to (cx / w0, cy / h0, log w, log h), (..., 4); `reference_wh` (..., 2) is (w0, h0)."""
    return torch.cat(((boxes[..., :2] + boxes[..., 2:] / 2) / reference_wh, boxes[..., 2:].log()), dim=-1)


def relative_to_xywh(relative: Tensor, reference_wh: Tensor) -> Tensor:
    """Inverse of `xywh_to_relative`."""
    size = relative[..., 2:].exp()
    return torch.cat((relative[..., :2] * reference_wh - size / 2, size), dim=-1)


def meets_image(box: Sequence[float], width: float, height: float) -> bool:
    """Whether a box has an area, and a part of it lies in an image.

    Args:
        box: four numbers `xywh`, image px; one that is not finite makes the box unusable.
        width: of the image, px.
        height: of the image, px.
    """
    x, y, w, h = box
    return all(map(math.isfinite, box)) and w > 0 and h > 0 and x < width and y < height and x + w > 0 and y + h > 0


def outside_image(box: Sequence[float], path: object, width: int, height: int) -> str:
    """The words for a box that does not meet its image, for errors."""
    shown = ', '.join(f'{value:g}' for value in box)
    return f'box (x, y, w, h) = ({shown}) lies outside the image {path} of {width} x {height} px'
