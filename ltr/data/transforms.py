"""Transforms of training frames; see `Transform` for how they are applied.

Random numbers come from Python's `random`. Every transform takes frames of any number of channels; the colour
transforms work on groups of three, so that an aligned RGB-TIR pair may be stacked to six channels.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ltr.data.geometric_transforms import Blur, RandomAffine, RandomBlur
from ltr.data.transform_base import Transform, TransformBase

__all__ = ['Blur', 'Normalize', 'RandomAffine', 'RandomBlur', 'RandomHorizontalFlip', 'ToBGR', 'ToGrayscale',
           'ToTensor', 'ToTensorAndJitter', 'Transform', 'TransformBase']


class ToTensor(TransformBase):
    """uint8 (H, W, C) to float32 (C, H, W) in [0, 1]; masks to tensors."""

    def transform_image(self, image: np.ndarray, *rand_params: Any) -> Tensor:
        return _channels_first(image) / 255

    def transform_mask(self, mask: Any, *rand_params: Any) -> Tensor:
        return torch.as_tensor(mask)


class ToTensorAndJitter(TransformBase):
    """`ToTensor` with a random brightness factor, the same for all channels.

    Args:
        brightness_jitter: j >= 0; the factor is uniform in [max(0, 1 - j), 1 + j].
        normalize: divide by 255 and clamp to [0, 1]; otherwise clamp to [0, 255].
    """

    def __init__(self, brightness_jitter: float = 0.0, normalize: bool = True) -> None:
        self.brightness_jitter = brightness_jitter
        self.normalize = normalize

    def roll(self) -> float:
        return random.uniform(max(0.0, 1 - self.brightness_jitter), 1 + self.brightness_jitter)

    def transform_image(self, image: np.ndarray, *rand_params: Any) -> Tensor:
        bright = _channels_first(image) * rand_params[0]
        return bright.div_(255).clamp_(0, 1) if self.normalize else bright.clamp_(0, 255)

    def transform_mask(self, mask: Any, *rand_params: Any) -> Tensor:
        return torch.as_tensor(mask)


class Normalize(TransformBase):
    """(image - mean) / std a channel, on tensors.

    Args:
        mean: one number a channel.
        std: one number a channel.
        inplace: overwrite the tensor.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        if len(mean) != len(std):
            raise ValueError(f'{len(mean)} means and {len(std)} deviations')
        self.mean, self.std, self.inplace = tuple(mean), tuple(std), inplace

    def transform_image(self, image: Tensor, *rand_params: Any) -> Tensor:
        if not isinstance(image, Tensor):
            raise TypeError('Normalize works on tensors: put ToTensor before it')
        if image.shape[0] != len(self.mean):
            raise ValueError(f'Normalize has {len(self.mean)} means, the image {image.shape[0]} channels')
        mean = torch.tensor(self.mean, dtype=image.dtype).view(-1, 1, 1)
        std = torch.tensor(self.std, dtype=image.dtype).view(-1, 1, 1)
        return image.sub_(mean).div_(std) if self.inplace else (image - mean) / std


class ToGrayscale(TransformBase):
    """With a probability, three copies of the grey image; each group of three channels on its own.

    One-channel images are grey already. Numpy images only (put it before `ToTensor`).
    """

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = probability

    def roll(self) -> bool:
        return random.random() < self.probability

    def transform_image(self, image: np.ndarray, *rand_params: Any) -> np.ndarray:
        if not rand_params[0] or image.shape[2] == 1:
            return image
        return _by_three(image, lambda rgb: cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY),
                                                         cv2.COLOR_GRAY2RGB))


class ToBGR(TransformBase):
    """Reverse each group of three channels. Numpy images only."""

    def transform_image(self, image: np.ndarray, *rand_params: Any) -> np.ndarray:
        return _by_three(image, lambda rgb: rgb[:, :, ::-1])


class RandomHorizontalFlip(TransformBase):
    """With a probability, mirror left and right: column x goes to W - 1 - x. Numpy images and tensors."""

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = probability

    def roll(self) -> bool:
        return random.random() < self.probability

    def transform_image(self, image: Any, *rand_params: Any) -> Any:
        if not rand_params[0]:
            return image
        return image.flip(-1) if isinstance(image, Tensor) else np.ascontiguousarray(image[:, ::-1])

    def transform_coords(self, coords: Tensor, image_shape: tuple[int, int], *rand_params: Any) -> Tensor:
        return torch.stack((coords[0], image_shape[1] - 1 - coords[1])) if rand_params[0] else coords

    def transform_bbox(self, bbox: Tensor, image_shape: tuple[int, int], *rand_params: Any) -> Tensor:
        if not rand_params[0]:
            return bbox
        x, y, w, h = bbox.unbind()
        return torch.stack((image_shape[1] - 1 - (x + w), y, w, h))

    def transform_mask(self, mask: Any, *rand_params: Any) -> Any:
        if not rand_params[0]:
            return mask
        return mask.flip(-1) if isinstance(mask, Tensor) else np.ascontiguousarray(mask[:, ::-1])


def _channels_first(image: np.ndarray) -> Tensor:
    """Float32 (C, H, W), 0..255."""
    if isinstance(image, Tensor):
        raise TypeError('the image is a tensor already: only one ToTensor step is wanted')
    return torch.from_numpy(image).permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format)


def _by_three(image: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply a function of (H, W, 3) images to each group of three channels."""
    if isinstance(image, Tensor):
        raise TypeError('colour transforms work on numpy images: put them before ToTensor')
    if image.shape[2] % 3:
        raise ValueError(f'an image of {image.shape[2]} channels has no groups of three')
    groups = [function(np.ascontiguousarray(image[:, :, i:i + 3])) for i in range(0, image.shape[2], 3)]
    return np.ascontiguousarray(np.concatenate(groups, axis=2))
