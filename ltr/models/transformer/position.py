"""Sine encoding of the cells' places.

Reference: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, Appendix A.4.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

TEMPERATURE = 10_000.0
"""Ratio of the longest to the shortest wave."""


def sine_encoding(size: tuple[int, int], channels: int, like: Tensor) -> Tensor:
    """Sines and cosines of every cell's row (first half of the channels) and column (second half).

    Args:
        size: (rows, columns) of the map; the last row and the last column lie at 2 pi, whatever the size.
        channels: C.
        like: a tensor of the wanted device and type.

    Returns:
        (rows * columns, C), row by row, values in [-1, 1].

    Raises:
        ValueError: C is not a multiple of 4.
    """
    if channels % 4:
        raise ValueError(f'the sine encoding needs a multiple of 4 channels, not {channels}')
    rows, columns = (_axis(length, channels // 2, like) for length in size)
    grid = torch.cat((rows[:, None].expand(-1, size[1], -1), columns[None].expand(size[0], -1, -1)), dim=-1)
    return grid.flatten(0, 1)


def _axis(length: int, channels: int, like: Tensor) -> Tensor:
    """Encoding (length, channels) along one side: sine and cosine by turns."""
    place = torch.arange(1, length + 1, device=like.device, dtype=like.dtype) * (2 * math.pi / length)
    waves = torch.arange(channels // 2, device=like.device, dtype=like.dtype) * (2 / channels)
    angles = place[:, None] / TEMPERATURE ** waves
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
