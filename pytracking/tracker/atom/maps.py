"""Labels, windows and Fourier upsampling of ATOM's score maps (numpy: maps are small)."""

from __future__ import annotations

import numpy as np


def gaussian_label(size: np.ndarray, sigma: float, centre: np.ndarray) -> np.ndarray:
    """Product of two Gaussians with peak 1.

    Args:
        size: (H, W) of the map.
        sigma: standard deviation, cells.
        centre: (y, x) of the peak from the middle of the map, cells.

    Returns:
        (H, W).
    """
    rows, columns = (np.exp(-(np.arange(n) - (n - 1) / 2 - c) ** 2 / (2 * sigma ** 2))
                     for n, c in zip(size.astype(int), centre, strict=True))
    return np.outer(rows, columns)


def hann2d(size: int) -> np.ndarray:
    """Hann window, (size, size), without its zeros and with its peak at the index size // 2."""
    distance = np.abs(np.arange(size) - size // 2)
    line = (1 + np.cos(2 * np.pi * distance / (size + 2))) / 2
    return np.outer(line, line)


def upsampling(cells: int, size: int, kernel: int) -> np.ndarray:
    """Matrix K (size, cells) of Fourier interpolation: the fine map is K scores K^T.

    The transform is separable and real: a sum of cosines from every cell. A target in the crop's centre peaks at the
    index size // 2. With an even number of cells the Nyquist term counts twice, as in the tracker that the published
    parameters were tuned with, so the values at the cells are not met exactly.

    Args:
        cells: side of the score map.
        size: side of the fine map.
        kernel: side of the filter; an even one answers half a cell late.
    """
    middle = (cells - kernel % 2) / 2
    offset = (np.arange(size) - size // 2) / size * cells
    phase = 2 * np.pi / cells * (middle + offset[:, None] - np.arange(cells))
    frequencies = np.arange(1, cells // 2 + 1)
    return (1 + 2 * np.cos(frequencies * phase[..., None]).sum(axis=-1)) / cells
