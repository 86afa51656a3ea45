"""The colour camera: from reflectance and light to 8 bits."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .backdrop import LIGHT_STEP
from .noise import FloatImage, cut, noise_pool
from .sprite import Affine


class ColourCamera:
    """A colour camera at work; by night the picture is dark and noisy.

    Args:
        rng: source of randomness.
        shape: (height, width) of the image.
        light: light map of the backdrop, float32 (h, w, 3), `LIGHT_STEP` times coarser than the backdrop.
        day: sun-lit, else night.
        unit: px of this world over px of a 240 x 180 one.
    """

    def __init__(
        self, rng: np.random.Generator, shape: tuple[int, int], light: FloatImage, day: bool, unit: float
    ) -> None:
        self._rng, self._shape, self._light = rng, shape, light
        noise = rng.uniform(1, 3.5) if day else rng.uniform(2.5, 7)
        self._pool = noise_pool(rng, (*shape, 3)) * np.float32(noise)
        self._blur = float(rng.uniform(0.3, 0.6 if day else 0.9)) * unit

    def shoot(self, colours: FloatImage, camera: Affine) -> NDArray[np.uint8]:
        """One frame.

        Args:
            colours: reflectance, float32 (height, width, 3), 0 ... 255 (more where something shines).
            camera: backdrop px to image px.

        Returns:
            uint8 (height, width, 3), RGB.
        """
        height, width = self._shape
        coarse = camera.copy()  # light map px to image px, both at a LIGHT_STEP-th of the size
        coarse[:, 2] = (camera[:, 2] + camera[:, :2] @ (LIGHT_STEP / 2, LIGHT_STEP / 2)) / LIGHT_STEP - 0.5
        size = (width // LIGHT_STEP + 1, height // LIGHT_STEP + 1)
        light = cv2.warpAffine(self._light, coarse, size, borderMode=cv2.BORDER_REPLICATE)
        light = cv2.resize(light, (width, height))
        seen = cv2.multiply(colours, light)
        seen = cv2.GaussianBlur(seen, (0, 0), self._blur, borderType=cv2.BORDER_REPLICATE)
        noisy = cv2.add(seen, cut(self._rng, self._pool, (height, width, 3)), dtype=cv2.CV_8U)
        return np.asarray(noisy, np.uint8)
