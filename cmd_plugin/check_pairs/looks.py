"""What a picture looks like in a few numbers: how colourful, how flat, and a hash that survives small changes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]
HASHED = 32
"""Side of the picture that is hashed, px."""
KEPT = 8
"""Side of the block of low frequencies: 64 bits."""


def colourfulness(image: Image) -> float:
    """How colourful uint8 `(H, W, 3)` is: 0 for grey, above 15 for most colour photographs.

    Source: Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003, metric M3.
    """
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    first, second = red - green, (red + green) / 2 - blue
    return float(np.hypot(first.std(), second.std()) + 0.3 * np.hypot(first.mean(), second.mean()))


def contrast(image: Image) -> float:
    """Standard deviation of a grey image, in grey values."""
    return float(cv2.meanStdDev(image)[1].item())


def perceptual_hash(image: Image) -> np.uint64:
    """64 bits of the lowest frequencies of uint8 `(H, W)`; those of copies at another size or quality differ in few.

    Every bit tells whether a coefficient of the cosine transform is above the median of all (without the mean).
    """
    small = cv2.resize(image, (HASHED, HASHED), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:KEPT, :KEPT].ravel()
    low[0] = np.median(low[1:])
    bits: NDArray[np.bool_] = low > np.median(low[1:])
    return np.packbits(bits).view('>u8')[0].astype(np.uint64)
