"""Augmentations of the first frame. Each acts on the expanded patch and is cut to the sample size.

Patches are (1, 3, E, E) float; shifts are (y, x) integers in px of the crop: positive moves the content down / right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Shift = tuple[int, int]


def cut(patch: Tensor, size: np.ndarray, shift: Shift) -> Tensor:
    """The central `size` (y, x) of a patch whose content is moved by `shift`; the border is replicated."""
    for axis in range(2):
        length = patch.shape[2 + axis]
        start = math.floor((int(size[axis]) - length) / 2) + shift[axis]
        index = (torch.arange(int(size[axis]), device=patch.device) - start).clamp(0, length - 1)
        patch = patch.index_select(2 + axis, index)
    return patch


def blur(patch: Tensor, sigma: tuple[float, float]) -> Tensor:
    """Separable Gaussian of `sigma` (y, x) px, vertical first; outside the patch counts as zero."""
    for axis in range(2):
        half = math.ceil(2 * sigma[axis])
        offset = torch.arange(-half, half + 1, dtype=patch.dtype, device=patch.device)
        kernel = torch.exp(-offset ** 2 / (2 * sigma[axis] ** 2))
        shape = (1, 1, -1, 1) if axis == 0 else (1, 1, 1, -1)
        padding = (half, 0) if axis == 0 else (0, half)
        planes = patch.reshape(-1, 1, *patch.shape[-2:])
        patch = functional.conv2d(planes, (kernel / kernel.sum()).reshape(shape), padding=padding).reshape(patch.shape)
    return patch


def rotate(patch: Tensor, degrees: float) -> Tensor:
    """Counter-clockwise rotation on screen about the centre, border replicated."""
    image = patch[0].permute(1, 2, 0).cpu().numpy()
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return torch.from_numpy(turned).to(patch.device).permute(2, 0, 1)[None]


def scale(patch: Tensor, factor: float) -> Tensor:
    """Square patch resized to side E / factor (parity kept)."""
    side = patch.shape[-1]
    if patch.shape[-2] != side:
        raise ValueError('the scale augmentation needs a square patch')
    new = round(side / factor)
    new += (new - side) % 2
    return functional.interpolate(patch, (new, new), mode='bilinear', align_corners=False)


class Augmentation:
    """One sample of the first frame.

    Attributes:
        kind: its name in the parameter file; `identity` for the plain one.
        shift: (y, x) by which the content moved; the target box moves along.
    """

    def __init__(self, kind: str, shift: Shift, change: Callable[[Tensor], Tensor] | None = None) -> None:
        self.kind = kind
        self.shift = shift
        self.change = change

    def __call__(self, patch: Tensor, size: np.ndarray) -> Tensor:
        """The sample (1, 3, *size) of the expanded patch."""
        return cut(patch if self.change is None else self.change(patch), size, self.shift)


def _changed(change: Callable[[Tensor, Any], Tensor], value: Any, patch: Tensor) -> Tensor:
    return change(patch, value)


def build(options: Mapping[str, Any], size: np.ndarray, random_shift_factor: float, global_shift: np.ndarray,
          uniform: Callable[[], np.ndarray]) -> list[Augmentation]:
    """All augmentations of a parameter file, identity first (dropout acts on features and is not among them).

    Args:
        options: `shift`, `relativeshift`, `fliplr`, `blur`, `scale`, `rotate`, as in the parameter files.
        size: (y, x) of a sample.
        random_shift_factor: range of the random shift of flips, blurs, scales and rotations, in sample sizes.
        global_shift: (y, x) added to every shift.
        uniform: draws two numbers in [0, 1).
    """
    def fixed(shift: np.ndarray) -> Shift:
        moved = np.trunc(shift + global_shift)
        return int(moved[0]), int(moved[1])

    def drawn() -> Shift:
        if random_shift_factor == 0:
            return fixed(np.zeros(2))
        return fixed((uniform() - 0.5) * size * random_shift_factor)

    built = [Augmentation('identity', fixed(np.zeros(2)))]
    built += [Augmentation('shift', fixed(np.asarray(s, dtype=float))) for s in options.get('shift', ())]
    built += [Augmentation('relativeshift', fixed(np.trunc(np.asarray(s) * size / 2)))
              for s in options.get('relativeshift', ())]
    if options.get('fliplr', False):
        built.append(Augmentation('fliplr', drawn(), lambda p: p.flip(-1)))
    for kind, change in (('blur', blur), ('scale', scale), ('rotate', rotate)):
        built += [Augmentation(kind, drawn(), partial(_changed, change, value)) for value in options.get(kind, ())]
    return built
