"""Thermal images varied at random: cameras differ in polarity, gain and sharpness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.wrapped import WrappedPairs

INVERTED, BLURRED = 0.5, 0.3
"""Shares of the images."""
GAMMA, GAIN, SIGMA = 0.5, 0.4, 1.5
"""Exponents in exp(+-GAMMA), contrast factors in 1 +- GAIN, greatest blur in px."""


class VariedThermal(WrappedPairs):
    """Pairs whose second half is another one in every draw; numpy's generator decides."""

    def read(self, index: int) -> NDArray[np.uint8]:
        """Pair as uint8 `(H, W, 6)`; raises as the pairs do."""
        pair = self.pairs.read(index)
        varied = vary(pair[..., 3:], np.random.default_rng(np.random.randint(2 ** 31)))
        return np.concatenate((pair[..., :3], varied), axis=2)


def vary(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Invert, bend, stretch and blur an image `(H, W, C)`, each at random, its channels alike."""
    values = image.astype(np.float32) / 255
    if rng.random() < INVERTED:
        values = 1 - values
    values = values ** float(np.exp(rng.uniform(-GAMMA, GAMMA)))
    values = values.mean() + float(rng.uniform(1 - GAIN, 1 + GAIN)) * (values - values.mean())
    if rng.random() < BLURRED:
        values = cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.3, SIGMA)))
    return (values.clip(0, 1) * 255).round().astype(np.uint8)
