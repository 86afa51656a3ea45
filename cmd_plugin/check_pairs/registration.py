"""How far the halves of a pair lie apart: phase correlation of edge maps, tile by tile.

The two modalities share edges, not brightness, so gradient magnitudes are compared. A scene with depth has another
shift at every distance; the median over tiles tells of most of the image.

    N tiles, T side of a tile (px), S side of the search window (px)

Source: Kuglin and Hines, "The phase correlation image alignment method", 1975.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

# OpenCV's own annotations know no dtypes.
Image = NDArray[Any]
Floats = NDArray[Any]

SIDE = 128
"""T; in small images half of the shorter side."""
LEAST_SIDE = 32
MOST_TILES = 7
"""A side of the image; tiles overlap by at most a half."""
REACH = 4
"""Shifts up to T / REACH px are looked for."""
SMOOTHING = 0.15
"""Width of the low pass on the correlation, cycles a px: what is finer than this is noise in one of the modalities."""
SURE = 4.5
"""Standard deviations by which a tile's peak must stand out of its window."""
NEAR = 3.0
"""Px around the median in which a tile agrees with it."""
LEAST_TILES = 3
TOLD = 0.1
"""Agreement from which the median is believed; halves of different scenes stay below."""
FAR_TOLD = 0.2
"""The same for shifts beyond the reach of tiles: many places were tried."""
WHOLE_SIDE = 256
"""Longer side of the image, px, at which shifts beyond the reach of tiles are looked for: to a third of the shorter."""


@dataclass(frozen=True)
class Shift:
    """Where the thermal image lies.

    Attributes:
        dx, dy: of the thermal half against the RGB half, image px, to the right and down; NaN where it cannot be told,
            because there are too few edges in common.
        agreement: share of tiles with a sure peak within 3 px of the median; about 0 for halves of different scenes.
    """

    dx: float
    dy: float
    agreement: float


NAN = float('nan')
UNKNOWN = Shift(NAN, NAN, 0.0)


def measure_shift(grey: Image, tir: Image) -> Shift:
    """The shift between two images of one size, uint8 `(H, W)`."""
    if min(grey.shape) < LEAST_SIDE:
        return UNKNOWN
    found = _by_tiles(grey, tir)
    return found if found.agreement >= TOLD else _from_afar(grey, tir, found.agreement)


def _by_tiles(grey: Image, tir: Image) -> Shift:
    """Median over tiles."""
    side = min(SIDE, max(LEAST_SIDE, min(grey.shape) // 2))
    one, other = (_tiles(edges(image), side) for image in (grey, tir))
    textured = (one.std(axis=(1, 2)) > 0) & (other.std(axis=(1, 2)) > 0)
    if not textured.any():
        return UNKNOWN
    shifts, quality = _peaks(_correlate(one[textured], other[textured]), side // REACH)
    sure = shifts[quality >= SURE]
    if len(sure) < LEAST_TILES:
        return UNKNOWN
    dx, dy = np.median(sure, axis=0)
    agree = int((np.hypot(*(sure - (dx, dy)).T) <= NEAR).sum())
    return Shift(float(dx), float(dy), agree / len(one) if agree >= LEAST_TILES else 0.0)


def _from_afar(grey: Image, tir: Image, agreement: float) -> Shift:
    """The peak of the whole image, made smaller, where the tiles of what then overlaps confirm it."""
    height, width = grey.shape
    scale = min(1.0, WHOLE_SIDE / max(grey.shape))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    one, other = (edges(cv2.resize(image, size, interpolation=cv2.INTER_AREA))[None] for image in (grey, tir))
    [(x, y)], [quality] = _peaks(_correlate(one - one.mean(), other - other.mean()), max(1, min(size) // 3))
    dx, dy = round(float(x) / scale), round(float(y) / scale)
    if quality < SURE or min(width - abs(dx), height - abs(dy)) < LEAST_SIDE:
        return Shift(NAN, NAN, agreement)
    rest = _by_tiles(grey[max(0, -dy):height - max(0, dy), max(0, -dx):width - max(0, dx)],
                     tir[max(0, dy):height - max(0, -dy), max(0, dx):width - max(0, -dx)])
    if rest.agreement < FAR_TOLD:
        return Shift(NAN, NAN, agreement)
    return Shift(dx + rest.dx, dy + rest.dy, rest.agreement)


def edges(image: Image) -> Floats:
    """Gradient magnitude of a smoothed grey image, float32 `(H, W)`."""
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0)
    magnitude: Floats = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return magnitude


def _tiles(image: Floats, side: int) -> Floats:
    """Tiles on a regular grid, `(N, T, T)`, each of mean 0."""
    starts = []
    for length in image.shape:
        count = min(MOST_TILES, max(1, 2 * length // side - 1))
        starts.append(np.linspace(0, length - side, count).astype(int))
    tiles = np.stack([image[y:y + side, x:x + side] for y in starts[0] for x in starts[1]])
    return tiles - tiles.mean(axis=(1, 2), keepdims=True)


def _correlate(one: Floats, other: Floats) -> Floats:
    """Phase correlation of tiles, `(N, T, T)` or `(1, H, W)`, shift 0 in the middle."""
    height, width = one.shape[1:]
    window = _hann(height, width)
    cross = fft.rfft2(other * window) * np.conj(fft.rfft2(one * window))
    cross *= _low_pass(height, width) / (np.abs(cross) + 1e-9 * np.abs(cross).max(axis=(1, 2), keepdims=True) + 1e-30)
    return np.asarray(fft.fftshift(fft.irfft2(cross, s=one.shape[1:]), axes=(1, 2)), np.float32)


def _peaks(surface: Floats, reach: int) -> tuple[Floats, Floats]:
    """Place `(N, 2)` (x, y) of the greatest value within `reach` px, below a px, and how far it stands out `(N,)`."""
    row, column = surface.shape[1] // 2, surface.shape[2] // 2
    near = surface[:, row - reach:row + reach + 1, column - reach:column + reach + 1]
    count, size = len(near), near.shape[1]
    flat = near.reshape(count, -1)
    y, x = np.divmod(flat.argmax(axis=1), size)
    quality = (flat.max(axis=1) - flat.mean(axis=1)) / np.maximum(flat.std(axis=1), 1e-12)
    rows = np.arange(count)
    inside = (x > 0) & (x < size - 1) & (y > 0) & (y < size - 1)
    quality[~inside] = 0  # the peak may lie further out
    cx, cy = x.clip(1, size - 2), y.clip(1, size - 2)
    top = near[rows, cy, cx]
    fine_x = _vertex(near[rows, cy, cx - 1], top, near[rows, cy, cx + 1])
    fine_y = _vertex(near[rows, cy - 1, cx], top, near[rows, cy + 1, cx])
    return np.stack([cx + fine_x, cy + fine_y], axis=1).astype(np.float32) - reach, quality


def _vertex(low: Floats, top: Floats, high: Floats) -> Floats:
    """Where the parabola through three values a px apart has its top, from the middle one, px."""
    bend = low - 2 * top + high
    return np.where(bend < 0, 0.5 * (low - high) / np.where(bend < 0, bend, -1), 0).clip(-0.5, 0.5)


@lru_cache(64)
def _hann(height: int, width: int) -> Floats:
    window: Floats = cv2.createHanningWindow((width, height), cv2.CV_32F)
    return window


@lru_cache(64)
def _low_pass(height: int, width: int) -> Floats:
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    return np.exp(-(rows ** 2 + columns ** 2) / (2 * SMOOTHING ** 2)).astype(np.float32)
