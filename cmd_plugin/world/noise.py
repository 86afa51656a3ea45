"""Random fields and patterns: the raw material of every surface, in colour and in temperature."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]
ByteImage = NDArray[np.uint8]

LEVELS = 4
"""A pattern is an image of this many levels; a surface mixes its two colours (or temperatures) by level."""

PATTERNS = ('plain', 'stripes', 'checks', 'patches', 'speckle', 'dots', 'halves')


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], cell: float, gain: float = 0.55, finest: float = 1.5
) -> FloatImage:
    """Multi-octave noise of zero mean and unit standard deviation.

    Args:
        rng: source of randomness.
        shape: (height, width) in px.
        cell: size of the coarsest structure, px (> 0).
        gain: amplitude of an octave over that of the next coarser one; near 1 is rough, near 0 smooth.
        finest: octaves with smaller structure than this are left out, px.

    Returns:
        float32 (height, width).
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    amplitude = 1.0
    for _ in range(8):
        grid_shape = (int(height / cell) + 2, int(width / cell) + 2)
        grid = rng.standard_normal(grid_shape, dtype=np.float32) * np.float32(amplitude)
        filter_ = cv2.INTER_CUBIC if cell > 6 else cv2.INTER_LINEAR  # the fine ones need no smooth slopes
        total += cv2.resize(grid, (width, height), interpolation=filter_)
        cell, amplitude = cell / 2, amplitude * gain
        if cell < finest:
            break
    mean, deviation = cv2.meanStdDev(total)
    total -= np.float32(mean.item())
    total *= np.float32(1 / max(deviation.item(), 1e-6))
    return total


def noise_pool(rng: np.random.Generator, shape: tuple[int, ...], spare: int = 48) -> FloatImage:
    """White noise a little larger than a frame: cutting it at random places is cheaper than drawing anew.

    Args:
        rng: source of randomness.
        shape: shape of a frame, (height, width) or (height, width, channels).
        spare: how many px the pool is larger in both directions.

    Returns:
        float32, standard normal.
    """
    return rng.standard_normal((shape[0] + spare, shape[1] + spare, *shape[2:]), dtype=np.float32)


def cut(rng: np.random.Generator, pool: FloatImage, shape: tuple[int, ...]) -> FloatImage:
    """A view of `shape` at a random place of a `noise_pool`."""
    top = int(rng.integers(pool.shape[0] - shape[0] + 1))
    left = int(rng.integers(pool.shape[1] - shape[1] + 1))
    return pool[top : top + shape[0], left : left + shape[1]]


def pattern(rng: np.random.Generator, kind: str, side: int) -> ByteImage:
    """A square pattern of `LEVELS` levels.

    Args:
        rng: source of randomness (orientation, period, phase).
        kind: one of `PATTERNS`.
        side: px.

    Returns:
        uint8 (side, side), values 0 ... LEVELS - 1.

    Raises:
        ValueError: unknown kind.
    """
    if kind == 'plain':
        return np.zeros((side, side), np.uint8)
    if kind in ('patches', 'speckle'):
        cell = side / rng.uniform(2.5, 5) if kind == 'patches' else side / rng.uniform(10, 24)
        field = fractal(rng, (side, side), cell, 0.3, 4.0)
        if kind == 'patches':
            return (field > rng.uniform(-0.4, 0.6)).astype(np.uint8) * np.uint8(LEVELS - 1)
        return np.clip(field * 1.2 + 1.5, 0, LEVELS - 1).astype(np.uint8)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    period = side / rng.uniform(5, 14)
    axis = (np.arange(side, dtype=np.float32) - side / 2) / np.float32(period)
    along = axis[None] * np.float32(np.cos(angle)) + axis[:, None] * np.float32(np.sin(angle))
    across = axis[:, None] * np.float32(np.cos(angle)) - axis[None] * np.float32(np.sin(angle))
    if kind == 'stripes':
        on = (along % 1) < rng.uniform(0.3, 0.6)
    elif kind == 'checks':
        on = ((along % 1) < 0.5) ^ ((across % 1) < 0.5)
    elif kind == 'dots':
        on = (along % 1 - 0.5) ** 2 + (across % 1 - 0.5) ** 2 < rng.uniform(0.05, 0.12)
    elif kind == 'halves':
        on = along > rng.uniform(-1, 1)
    else:
        raise ValueError(f'unknown pattern {kind!r}; known: {", ".join(PATTERNS)}')
    return on.astype(np.uint8) * np.uint8(LEVELS - 1)
