"""Boxes as distances to their sides, seen from every cell of a feature map (ToMP, Sec. 3.3; FCOS, Sec. 3.1).

Left and top are distances back to the box's first sides, right and bottom forward to its last ones, over the sides of
the crop. All four are positive in cells within the box, and only there.
"""

from __future__ import annotations

import torch
from torch import Tensor

STRIDE = 16


def cell_centres(size: tuple[int, int], like: Tensor, stride: int = STRIDE) -> Tensor:
    """Centres (x, y) of the cells of a map of `size` (rows, columns), (rows, columns, 2), crop px."""
    y, x = ((torch.arange(length, device=like.device, dtype=like.dtype) + 0.5) * stride for length in size)
    return torch.stack(torch.broadcast_tensors(x[None], y[:, None]), dim=-1)


def ltrb_of(boxes: Tensor, size: tuple[int, int], stride: int = STRIDE) -> Tensor:
    """Distances from every cell to the sides of boxes.

    Args:
        boxes: (..., 4) `xywh`, crop px.
        size: (rows, columns) of the map.
        stride: px a cell.

    Returns:
        (..., 4, rows, columns), over the crop's sides; gradient flows.
    """
    centres = cell_centres(size, boxes, stride)
    corner = boxes[..., None, None, :2]
    first, last = centres - corner, corner + boxes[..., None, None, 2:] - centres
    return (torch.cat((first, last), dim=-1) / _crop(size, boxes, stride)).movedim(-1, -3)


def boxes_of(ltrb: Tensor, stride: int = STRIDE) -> Tensor:
    """The box that every cell tells; the inverse of `ltrb_of`.

    Args:
        ltrb: (..., 4, rows, columns), over the crop's sides.
        stride: px a cell.

    Returns:
        (..., rows, columns, 4) `xywh`, crop px; gradient flows.
    """
    size = (ltrb.shape[-2], ltrb.shape[-1])
    distances = ltrb.movedim(-3, -1) * _crop(size, ltrb, stride)
    first, last = distances[..., :2], distances[..., 2:]
    return torch.cat((cell_centres(size, ltrb, stride) - first, first + last), dim=-1)


def _crop(size: tuple[int, int], like: Tensor, stride: int) -> Tensor:
    """Sides of the crop in the order of the distances, (4,), px."""
    return like.new_tensor([size[1], size[0], size[1], size[0]]) * stride
