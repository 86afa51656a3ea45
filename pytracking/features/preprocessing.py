"""Cropping at tracking time: a window of the image, moved, subsampled and resized as the stock toolkit does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pytracking.features.host import to_device


@dataclass(frozen=True)
class Line:
    """One side of a window, pixel by pixel.

    Attributes:
        inside: the pixels that the image has, at least one.
        before, after: how often the first and the last of them are repeated.
    """

    inside: slice
    before: int
    after: int

    @classmethod
    def of(cls, first: int, after: int, length: int, step: int, offset: int) -> Line:
        """Pixels `first` to `after`, that one not, of the `length` that every `step`-th pixel from `offset` is."""
        low = min(max(first, 0), length - 1)
        high = min(max(after, low + 1), length)
        missing = after - first - (high - low)
        before = min(max(-first, 0), missing)
        return cls(slice(low * step + offset, (high - 1) * step + offset + 1, step), before, missing - before)


@dataclass(frozen=True)
class Window:
    """Where a crop lies.

    Attributes:
        top_left: (y, x) image px, a float: the window is half a pixel larger than its nominal size.
        bottom_right: (y, x), image px.
        rows, columns: which pixels of the image it takes.
    """

    top_left: np.ndarray
    bottom_right: np.ndarray
    rows: Line
    columns: Line


def crop_window(image_sz: np.ndarray, pos: np.ndarray, sample_sz: np.ndarray, output_sz: np.ndarray,
                mode: str = 'replicate', max_scale_change: float | None = None) -> Window:
    """Window of `sample_sz` (y, x) px around `pos` (y, x).

    Args:
        image_sz: (height, width).
        pos: centre, image px; truncated.
        sample_sz: wanted size, image px.
        output_sz: size after resizing; a window of more than twice that is subsampled.
        mode: `'replicate'` leaves the window where it is; `'inside'` shrinks it until both sides fit the image,
            `'inside_major'` until one does, and moves it inside.
        max_scale_change: bound on the shrinking.

    Raises:
        ValueError: unknown mode.
    """
    if mode not in ('replicate', 'inside', 'inside_major'):
        raise ValueError(f'unknown border mode {mode!r}')
    centre = np.trunc(pos)
    if mode != 'replicate':
        ratios = sample_sz / image_sz
        shrink = ratios.max() if mode == 'inside' else ratios.min()
        shrink = min(max(float(shrink), 1.0), math.inf if max_scale_change is None else max_scale_change)
        sample_sz = np.trunc(sample_sz / shrink)
    step = max(int((sample_sz / output_sz).min() - 0.1), 1)
    offset = np.mod(centre, step) if step > 1 else np.zeros(2)
    centre = (centre - offset) / step
    limit = np.ceil((image_sz - offset) / step)
    size = np.maximum(np.round(sample_sz / step), 2)
    top_left, bottom_right = centre - (size - 1) / 2, centre + size / 2 + 1
    if mode != 'replicate':
        top_left, bottom_right = _moved_inside(top_left, bottom_right, limit)
    rows, columns = (Line.of(int(top_left[axis]), int(bottom_right[axis]), int(limit[axis]), step, int(offset[axis]))
                     for axis in range(2))
    return Window(step * top_left, step * bottom_right, rows, columns)


def _moved_inside(top_left: np.ndarray, bottom_right: np.ndarray, limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shift = np.maximum(-top_left, 0) - np.maximum(bottom_right - limit, 0)
    top_left, bottom_right = top_left + shift, bottom_right + shift
    outside = np.floor((np.maximum(-top_left, 0) + np.maximum(bottom_right - limit, 0)) / 2)
    shift = np.where(outside > 0, -top_left - outside, 0)
    return top_left + shift, bottom_right + shift


def sample_patch(image: np.ndarray, pos: np.ndarray, sample_sz: np.ndarray, output_sz: np.ndarray,
                 mode: str = 'replicate', max_scale_change: float | None = None,
                 device: torch.device | str = 'cpu') -> tuple[Tensor, np.ndarray]:
    """Crop an image and resize it bilinearly (half-pixel centres, no antialiasing).

    Args:
        image: (H, W, 3) uint8.
        pos, sample_sz, output_sz, mode, max_scale_change: see `crop_window`.
        device: where the result lies; only the window's pixels are sent there.

    Returns:
        Patch (1, 3, output height, output width), float32 0..255, and its corners (y1, x1, y2, x2), image px.
    """
    window = crop_window(np.array(image.shape[:2]), pos, sample_sz, output_sz, mode, max_scale_change)
    pixels = _pixels(image, window.rows, window.columns)
    patch = to_device(pixels, device).permute(2, 0, 1)[None].float()
    size = (int(output_sz[0]), int(output_sz[1]))
    if patch.shape[-2:] != size:
        patch = functional.interpolate(patch, size, mode='bilinear', align_corners=False)
    return patch, np.concatenate((window.top_left, window.bottom_right))


def _pixels(image: np.ndarray, rows: Line, columns: Line) -> np.ndarray:
    """Copy of the pixels of a window, (height, width, 3)."""
    pixels = image[rows.inside, columns.inside].copy()
    outside = (rows.before, rows.after, columns.before, columns.after)
    return cv2.copyMakeBorder(pixels, *outside, cv2.BORDER_REPLICATE) if any(outside) else pixels
