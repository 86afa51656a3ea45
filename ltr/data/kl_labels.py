"""Label densities over the score map."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ltr.data.labels import Pair, gaussian_label_function

LEAST_SUM = 0.01
"""A density whose sum is not greater is that of a target outside the map."""


def gaussian_label_density(target_bb: Tensor, sigma_factor: float, kernel_sz: Pair, feat_sz: Pair, image_sz: Pair,
                           end_pad_if_even: bool = True, uni_weight: float = 0.0, threshold: float = 0.0,
                           normalize: bool = True, shrink: float = 0.0) -> Tensor:
    """Normal density of the target centre at the cells of the score map (PrDiMP, Sec. 5).

    Args:
        target_bb, sigma_factor, kernel_sz, feat_sz, image_sz, end_pad_if_even: as in `gaussian_label_function`.
        uni_weight: share of a uniform density.
        threshold: values up to this one become 0.
        normalize: let every map sum to one; where nothing is left of the target, the map is uniform.
        shrink: factor 1 - shrink on the result.

    Returns:
        (..., rows, columns).
    """
    label = gaussian_label_function(target_bb, sigma_factor, kernel_sz, feat_sz, image_sz, end_pad_if_even)
    width, height = (feat_sz, feat_sz) if isinstance(feat_sz, (int, float)) else feat_sz
    sigma = sigma_factor * math.sqrt(width * height)
    uniform = 1 / (label.shape[-2] * label.shape[-1])
    density = (1 - uni_weight) * label / (2 * math.pi * sigma ** 2) + uni_weight * uniform
    density = torch.where(density > threshold, density, 0)
    if normalize:
        total = density.sum(dim=(-2, -1), keepdim=True)
        known = total > LEAST_SUM
        density = torch.where(known, density / torch.where(known, total, 1), uniform)
    return (1 - shrink) * density
