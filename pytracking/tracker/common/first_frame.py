"""What a tracker learns from: augmented samples of the first frame, their boxes, and the modulation vectors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pytracking.features.augmentation import Augmentation, build
from pytracking.features.preprocessing import sample_patch
from pytracking.tracker.common.geometry import Sample
from pytracking.utils.params import TrackerParams

LEADING = ('identity', 'shift', 'relativeshift', 'fliplr', 'blur')
Uniform = Callable[..., np.ndarray]


def samples_of(image: np.ndarray, pos: np.ndarray, scale: float, size: np.ndarray, params: TrackerParams,
               uniform: Uniform, device: torch.device,
               round_centre: bool = True) -> tuple[Tensor, list[Augmentation], Sample]:
    """Augmented crops of the first frame.

    Args:
        image: (H, W, 3) uint8.
        pos: target centre (y, x), image px.
        scale: image px a crop px.
        size: (y, x) of a sample, crop px.
        params: `augmentation`, `augmentation_expansion_factor`, `random_shift_factor`, `border_mode`.
        uniform: draws numbers in [0, 1) of a given shape.
        device: where the crops lie.
        round_centre: cut around the rounded centre (DiMP), or around `pos` itself, truncated (ATOM); the sample's place
            is the rounded centre in both cases.

    Returns:
        Crops (n, 3, *size) of 0..255, their augmentations (identity first), and their place in the image.
    """
    centre = np.round(pos)
    expanded = size.copy()
    factor = params.get('augmentation_expansion_factor', None)
    if factor is not None and factor != 1:
        expanded = np.trunc(size * factor)
        expanded += (expanded - size) % 2
    shift, scale = _inside_shift(image, centre, scale, size, params)
    options = params.augmentation if params.get('use_augmentation', True) else {}
    augmentations = build(options, size, params.get('random_shift_factor', 0), shift, lambda: uniform(2))
    patch, _ = sample_patch(image, centre if round_centre else pos, scale * expanded, expanded, device=device)
    return torch.cat([a(patch, size) for a in augmentations]), augmentations, Sample(centre, scale, size)


def _inside_shift(image: np.ndarray, centre: np.ndarray, scale: float, size: np.ndarray,
                  params: TrackerParams) -> tuple[np.ndarray, float]:
    """With border mode `inside` the first samples are shrunk and moved into the image as well."""
    if params.get('border_mode', 'replicate') != 'inside':
        return np.zeros(2), scale
    image_sz = np.array(image.shape[:2])
    limit = params.get('patch_max_scale_change', None)
    shrink = max(float((scale * size / image_sz).max()), 1.0)
    window = scale * size / (shrink if limit is None else min(shrink, limit))
    scale = float(np.sqrt(np.prod(window / size)))
    top_left, bottom_right = centre - (window - 1) / 2, centre + window / 2 + 1
    outside = np.maximum(-top_left, 0) - np.maximum(bottom_right - image_sz, 0)
    return np.trunc(-outside / scale), scale


def sample_boxes(box: np.ndarray, augmentations: list[Augmentation]) -> np.ndarray:
    """Target box of every augmented sample, (n, 4) `xywh`, crop px: it moves with the shift and never turns."""
    return np.stack([box + np.array([a.shift[1], a.shift[0], 0, 0]) for a in augmentations])


def dropout_copies(features: Tensor, options: dict[str, Any], uniform: Uniform) -> Tensor:
    """Copies of the identity's features (1, C, H, W) with whole channels dropped and the rest scaled up."""
    number, probability = options['dropout']
    kept = torch.from_numpy(uniform(number, features.shape[1]) >= probability).to(features)
    return features * (kept / (1 - probability))[:, :, None, None]


def modulation_of(net: Any, backbone: OrderedDict[str, Tensor], boxes: Tensor, augmentations: list[Augmentation],
                  params: TrackerParams) -> list[Tensor]:
    """Modulation vectors of the target: of the identity, or the mean over the leading undistorted samples."""
    used = 1
    if params.get('iounet_augmentation', False):
        while used < len(augmentations) and augmentations[used].kind in LEADING:
            used += 1
    features = [f[:used] for f in net.get_backbone_bbreg_feat(backbone)]
    return [m.mean(dim=0, keepdim=True) for m in net.bb_regressor.get_modulation(features, boxes[:used])]
