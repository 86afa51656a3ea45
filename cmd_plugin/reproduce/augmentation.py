"""Strong augmentation for the parent: little data must look like much."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

import ltr.data.transforms as tfm
from cmd_plugin.data.processing import IMAGENET_MEAN, IMAGENET_STD


class ColourJitter(tfm.TransformBase):
    """Random contrast, saturation, gamma, and noise of a crop `(3, H, W)` in [0, 1].

    Args:
        contrast, saturation: factors are uniform in 1 +- these.
        gamma: exponents are uniform in 1 +- this.
        noise: largest standard deviation of the noise.
    """

    def __init__(self, contrast: float = 0.4, saturation: float = 0.5, gamma: float = 0.3, noise: float = 0.04) -> None:
        self.contrast, self.saturation, self.gamma, self.noise = contrast, saturation, gamma, noise

    def roll(self) -> tuple[float, float, float, float]:
        """(contrast, saturation, gamma, deviation of the noise)."""
        return (random.uniform(1 - self.contrast, 1 + self.contrast),
                random.uniform(1 - self.saturation, 1 + self.saturation),
                random.uniform(1 - self.gamma, 1 + self.gamma), max(0.0, random.uniform(-self.noise, self.noise)))

    def transform_image(self, image: Tensor, *rand_params: Any) -> Tensor:
        """The crop as `roll` says, clamped to [0, 1]."""
        contrast, saturation, gamma, deviation = rand_params
        grey = image.mean(dim=0, keepdim=True)
        image = grey + saturation * (image - grey)
        image = (image.mean() + contrast * (image - image.mean())).clamp(0, 1) ** gamma
        return (image + deviation * torch.randn_like(image)).clamp(0, 1) if deviation else image


def strong() -> dict[str, Any]:
    """Transforms of a processing: crops by themselves, and whole samples."""
    return {
        'transform': tfm.Transform(tfm.RandomBlur((2.0, 2.0), 0.15), tfm.ToTensorAndJitter(0.3), ColourJitter(),
                                   tfm.Normalize(mean=IMAGENET_MEAN, std=IMAGENET_STD)),
        'joint_transform': tfm.Transform(tfm.ToGrayscale(0.25), tfm.RandomHorizontalFlip(0.5),
                                         tfm.RandomAffine(max_rotation=8, max_scale=0.1, probability=0.3))}
