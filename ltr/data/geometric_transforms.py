"""Blurring and affine motion of training frames (numpy images, before `ToTensor`)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ltr.data.transform_base import TransformBase


class Blur(TransformBase):
    """Separable Gaussian blur; half width ceil(2 sigma), kernel of sum 1, border replicated.

    Args:
        sigma: standard deviation in px, one number or (sigma_y, sigma_x); 0 leaves that axis alone.
    """

    def __init__(self, sigma: float | Sequence[float]) -> None:
        sigma_y, sigma_x = (sigma, sigma) if isinstance(sigma, (int, float)) else sigma
        self._kernels = _gaussian(sigma_x), _gaussian(sigma_y)

    def transform_image(self, image: np.ndarray, *rand_params: Any) -> np.ndarray:
        blurred = cv2.sepFilter2D(image, -1, *self._kernels, borderType=cv2.BORDER_REPLICATE)
        return blurred.reshape(image.shape)


class RandomBlur(Blur):
    """`Blur` with a probability."""

    def __init__(self, sigma: float | Sequence[float], probability: float = 0.1) -> None:
        super().__init__(sigma)
        self.probability = probability

    def roll(self) -> bool:
        return random.random() < self.probability

    def transform_image(self, image: np.ndarray, *rand_params: Any) -> np.ndarray:
        return super().transform_image(image) if rand_params[0] else image


class RandomAffine(TransformBase):
    """Random rotation, scaling and shift about the image centre, border replicated, size kept.

    Args:
        max_rotation: degrees; the angle is uniform in +-max_rotation.
        max_scale: the scale is exp(u), u uniform in +-max_scale.
        max_shift: the shift of each axis is uniform in +-max_shift times the image side.
        probability: of doing anything.
    """

    def __init__(self, max_rotation: float = 0.0, max_scale: float = 0.0, max_shift: float = 0.0,
                 probability: float = 1.0) -> None:
        self.max_rotation, self.max_scale, self.max_shift = max_rotation, max_scale, max_shift
        self.probability = probability

    def roll(self) -> tuple[bool, float, float, float, float]:
        """(whether, degrees, scale, shift in x, shift in y over the image sides)."""
        angle = random.uniform(-self.max_rotation, self.max_rotation)
        scale = math.exp(random.uniform(-self.max_scale, self.max_scale))
        shift_x, shift_y = (random.uniform(-self.max_shift, self.max_shift) for _ in range(2))
        return random.random() < self.probability, angle, scale, shift_x, shift_y

    def transform_image(self, image: np.ndarray, *rand_params: Any) -> np.ndarray:
        return self._warp(image, rand_params, cv2.INTER_LINEAR)

    def transform_coords(self, coords: Tensor, image_shape: tuple[int, int], *rand_params: Any) -> Tensor:
        if not rand_params[0]:
            return coords
        matrix = torch.from_numpy(_matrix(image_shape, *rand_params[1:])).to(coords.dtype)
        moved = matrix[:, :2] @ coords.flip(0) + matrix[:, 2:]
        return moved.flip(0)

    def transform_mask(self, mask: np.ndarray, *rand_params: Any) -> np.ndarray:
        return self._warp(mask[:, :, None], rand_params, cv2.INTER_NEAREST)[:, :, 0]

    @staticmethod
    def _warp(image: np.ndarray, rand_params: tuple[Any, ...], interpolation: int) -> np.ndarray:
        if not rand_params[0]:
            return image
        height, width = image.shape[:2]
        matrix = _matrix((height, width), *rand_params[1:])
        # OpenCV warps at most four channels at a time.
        parts = [cv2.warpAffine(np.ascontiguousarray(image[:, :, i:i + 3]), matrix, (width, height),
                                flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
                 for i in range(0, image.shape[2], 3)]
        return np.concatenate([part.reshape(height, width, -1) for part in parts], axis=2)


def _matrix(shape: tuple[int, int], angle: float, scale: float, shift_x: float, shift_y: float) -> np.ndarray:
    """2 x 3 map of (x, y), px; positive angles turn counter-clockwise on screen."""
    height, width = shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale)
    return matrix + np.array([[0, 0, shift_x * width], [0, 0, shift_y * height]])


def _gaussian(sigma: float) -> np.ndarray:
    if sigma <= 0:
        return np.ones(1)
    half = math.ceil(2 * sigma)
    kernel = np.exp(-np.arange(-half, half + 1) ** 2 / (2 * sigma ** 2))
    return kernel / kernel.sum()
