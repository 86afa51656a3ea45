"""Search-area crops of training: where the window lies, what pixels it takes, and where the box goes.

Two kinds, as their trackers were trained: ATOM's square around the unrounded centre ("ATOM", Sec. 3.4) and
DiMP's window that is moved into the image ("DiMP", Sec. 3.5). Frames may have any number of channels. No
gradient flows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.data.bounding_box_utils import cxcywh_to_xywh, xywh_to_cxcywh

CROP_TYPES = ('replicate', 'inside', 'inside_major')


class TooSmallBoxError(UserError):
    """The search area of a box is empty: no width, no height, or not a number."""


class Window(NamedTuple):
    """Rectangle of whole image pixels, [left, left + width) x [top, top + height); may leave the image."""

    left: int
    top: int
    width: int
    height: int


def cut(image: np.ndarray, window: Window, output_sz: tuple[int, int]) -> np.ndarray:
    """Pixels of a window, bilinearly resized.

    Outside pixels replicate the border. A window that touches or passes the right (bottom) edge does not use
    the last column (row), as in the crops that published networks were trained on.

    Args:
        image: uint8 (H, W, C), any C.
        window: image px.
        output_sz: (width, height) of the result.

    Returns:
        uint8 (height, width, C).
    """
    top, bottom, above, below = _span(window.top, window.height, image.shape[0])
    left, right, before, after = _span(window.left, window.width, image.shape[1])
    patch = image[top:bottom, left:right]
    if above or below or before or after:
        patch = cv2.copyMakeBorder(patch, above, below, before, after, cv2.BORDER_REPLICATE)
        patch = patch.reshape(window.height, window.width, image.shape[2])
    return _resize(patch, output_sz)


def _span(start: int, length: int, size: int) -> tuple[int, int, int, int]:
    """Existing indices [low, high) of [start, start + length) on an axis, and how many lie before and after them."""
    stop = start + length
    last = max(size - 2 if stop >= size else size - 1, 0)
    low, high = min(max(start, 0), last), min(max(stop - 1, 0), last) + 1
    before = min(max(-start, 0), length - (high - low))
    return low, high, before, length - (high - low) - before


def _resize(patch: np.ndarray, output_sz: tuple[int, int]) -> np.ndarray:
    """Bilinear resize in groups of three channels, so that a modality looks the same alone and in a stack."""
    channels = patch.shape[2]
    groups = [patch if channels <= 3 else np.ascontiguousarray(patch[:, :, i:i + 3]) for i in range(0, channels, 3)]
    resized = [cv2.resize(group, output_sz, interpolation=cv2.INTER_LINEAR).reshape(output_sz[1], output_sz[0], -1)
               for group in groups]
    return resized[0] if len(resized) == 1 else np.concatenate(resized, axis=2)


def atom_window(box: Tensor, search_area_factor: float) -> Window:
    """Square of side ceil(sqrt(w h) * factor) around the centre of a box `xywh` (4,), image px.

    Raises:
        TooSmallBoxError: the side is less than one pixel.
    """
    x, y, w, h = box.tolist()
    usable = w > 0 and h > 0 and math.isfinite(x + y + w * h)
    side = math.ceil(math.sqrt(w * h) * search_area_factor) if usable else 0
    if side < 1:
        raise TooSmallBoxError(_too_small(box))
    return Window(round(x + 0.5 * w - 0.5 * side), round(y + 0.5 * h - 0.5 * side), side, side)


def sample_target(image: np.ndarray, target_bb: Tensor, search_area_factor: float,
                  output_sz: int) -> tuple[np.ndarray, float]:
    """ATOM's search-area crop around a box.

    Args:
        image: uint8 (H, W, C).
        target_bb: `xywh` (4,), image px.
        search_area_factor: side of the crop over the box side sqrt(w h).
        output_sz: side of the result, px.

    Returns:
        The crop (output_sz, output_sz, C) and the factor from image px to crop px.

    Raises:
        TooSmallBoxError: the box is empty.
    """
    window = atom_window(target_bb, search_area_factor)
    return cut(image, window, (output_sz, output_sz)), output_sz / window.width


def box_to_atom_crop(box: Tensor, centre_box: Tensor, resize_factor: float, output_sz: int) -> Tensor:
    """Box `xywh` (4,) from image px to px of ATOM's crop that was cut around `centre_box`.

    The unrounded centre of `centre_box` is taken to be at (output_sz - 1) / 2.
    """
    target, middle = xywh_to_cxcywh(box), xywh_to_cxcywh(centre_box)
    centre = (output_sz - 1) / 2 + (target[:2] - middle[:2]) * resize_factor
    return cxcywh_to_xywh(torch.cat((centre, target[2:] * resize_factor)))


def dimp_window(box: Tensor, search_area_factor: float, output_sz: Sequence[int], image_sz: Sequence[int],
                crop_type: str = 'replicate', max_scale_change: float | None = None) -> Window:
    """DiMP's search area, moved into the image as far as it fits, centred on it where it is larger.

    Args:
        box: `xywh` (4,), image px.
        search_area_factor: side of the area over the box side sqrt(w h).
        output_sz: (width, height) of the crop; the window has its aspect ratio.
        image_sz: (width, height).
        crop_type: 'replicate'; 'inside' shrinks the window until it fits, 'inside_major' until one side fits.
        max_scale_change: greatest shrinking, >= 1; None for no bound.

    Raises:
        TooSmallBoxError: a side is less than one pixel.
    """
    if crop_type not in CROP_TYPES:
        raise ValueError(f'crop_type {crop_type!r} is none of {CROP_TYPES}')
    box = box.to(torch.float32)
    output = torch.tensor(output_sz, dtype=torch.float32)
    image = torch.tensor(image_sz, dtype=torch.float32)
    size = torch.ceil(output * torch.sqrt(box[2] * box[3] / output.prod()) * search_area_factor)
    if crop_type != 'replicate':
        excess = size / image
        shrink = (excess.max() if crop_type == 'inside' else excess.min()).clamp(1, max_scale_change)
        size = torch.floor(size / shrink)
    if not (torch.isfinite(size).all() and torch.isfinite(box).all() and box[2] > 0 and size.min() >= 1):
        raise TooSmallBoxError(_too_small(box))
    corner = torch.round(box[:2] + 0.5 * box[2:] - 0.5 * size)
    width, height = (int(value) for value in size)
    left, top = (int(value) for value in corner)
    left, top = _into_image(left, width, int(image_sz[0])), _into_image(top, height, int(image_sz[1]))
    return Window(left, top, width, height)


def _into_image(start: int, length: int, size: int) -> int:
    """Start of a span moved into [0, size); centred where it is longer."""
    start += max(-start, 0) + min(0, size - (start + length))
    outside = (max(-start, 0) + max(start + length - size, 0)) // 2
    return -outside if outside > 0 else start


def box_to_window(box: Tensor, window: Window, output_sz: Sequence[int]) -> Tensor:
    """Box `xywh` (4,) from image px to px of a window resized to (width, height) `output_sz`."""
    scale = torch.tensor([output_sz[0] / window.width, output_sz[1] / window.height], dtype=box.dtype)
    corner = torch.tensor([window.left, window.top], dtype=box.dtype)
    return torch.cat(((box[:2] - corner) * scale, box[2:] * scale))


def _too_small(box: Tensor) -> str:
    numbers = ', '.join(f'{value:g}' for value in box.tolist())
    return f'Too small bounding box ({numbers}) as x, y, w, h: nothing to crop; correct the annotation'
