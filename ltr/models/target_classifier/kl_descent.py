"""Unrolled Newton-like descent of the filter on a KL divergence (PrDiMP, Sec. 5).

Legend: n frames, q sequences, H' x W' score cells. The score map is a density over its cells by softmax; the label is a
density, too. The gradient of their divergence in the scores is softmax minus label, its Hessian that of log-sum-exp.

Reference: Danelljan, Van Gool, Timofte, "Probabilistic Regression for Visual Tracking", CVPR 2020.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ltr.models.target_classifier.residual_descent import FilterSteepestDescent, Quadratic


class PrDiMPSteepestDescentNewton(FilterSteepestDescent):
    """Steepest descent on the KL divergence with exact second derivatives along the step.

    Args:
        num_iter: steps when the caller does not say.
        feat_stride: px a feature cell.
        init_step_length: factor of every step (learned through its logarithm).
        init_filter_reg: root of the weight of |filter|^2 (learned).
        gauss_sigma: spread of the label, score cells; 0 for all of it in the nearest cell.
        min_filter_reg: floor of the regularisation root.
        detach_length: steps after which the filter is detached from the graph.
        alpha_eps: added to the regularisation in the step length.
        init_uni_weight: share of a uniform density in the label; `None` for 0.
        normalize_label: let the Gaussian sum to one over the map (before the uniform share is mixed in).
        label_shrink: factor 1 - label_shrink on the label.
        softmax_reg: constant extra score in the softmax's denominator: the score of 'nowhere on the map'.
        label_threshold: label values up to this one count as 0.
    """

    def __init__(self, num_iter: int = 1, feat_stride: int = 16, init_step_length: float = 1.0,
                 init_filter_reg: float = 1e-2, gauss_sigma: float = 1.0, min_filter_reg: float = 1e-3,
                 detach_length: float = math.inf, alpha_eps: float = 0.0, init_uni_weight: float | None = None,
                 normalize_label: bool = False, label_shrink: float = 0.0, softmax_reg: float | None = None,
                 label_threshold: float = 0.0) -> None:
        super().__init__(num_iter, feat_stride, init_step_length, init_filter_reg, min_filter_reg, detach_length,
                         alpha_eps)
        self.gauss_sigma = gauss_sigma
        self.uni_weight = 0.0 if init_uni_weight is None else init_uni_weight
        self.normalize_label = normalize_label
        self.label_shrink = label_shrink
        self.softmax_reg = softmax_reg
        self.label_threshold = label_threshold

    def label(self, centre: Tensor, size: tuple[int, int]) -> Tensor:
        """Label density (..., H', W') of target centres (..., 2), (y, x) in score cells."""
        density = gaussian_density(centre, size, self.gauss_sigma)
        # Not `where` with a number, which would be copied to a GPU and waited for.
        density = density.masked_fill(density <= self.label_threshold, 0)
        if self.normalize_label:
            density = density / (density.sum(dim=(-2, -1), keepdim=True) + 1e-8)
        uniform = 1 / (size[0] * size[1])
        return (1 - self.label_shrink) * ((1 - self.uni_weight) * density + self.uni_weight * uniform)

    def score_loss(self, centre: Tensor, size: tuple[int, int], sample_weight: Tensor | None) -> WeightedDivergence:
        """See `FilterSteepestDescent`."""
        # The weights themselves: the divergence is not a square, so that no root is taken as in DiMP.
        weight = torch.full_like(centre[..., :1, None], 1 / len(centre)) if sample_weight is None else sample_weight
        return WeightedDivergence(self.label(centre, size), weight, self.softmax_reg)


class WeightedDivergence:
    """KL divergence of the scores' softmax from a label, without the label's constant entropy.

    Args:
        label: (n, q, H', W').
        weight: of the frames, broadcastable to the label.
        softmax_reg: see `regularised_softmax`.
    """

    def __init__(self, label: Tensor, weight: Tensor, softmax_reg: float | None) -> None:
        self.label, self.weight, self.softmax_reg = label, weight, softmax_reg

    def value(self, scores: Tensor) -> Tensor:
        """See `ScoreLoss`."""
        partition = torch.logsumexp(scores.flatten(2), dim=-1)
        if self.softmax_reg is not None:
            partition = torch.logaddexp(partition, torch.full_like(partition, self.softmax_reg))
        divergence = partition - (self.label * scores).sum(dim=(-2, -1))
        return (self.weight[..., 0, 0] * divergence).sum()

    def quadratic(self, scores: Tensor) -> Quadratic:
        """Gradient and exact curvature; that of a frame is cut at 0, below which only rounding can bring it."""
        density = regularised_softmax(scores, self.softmax_reg)

        def curvature(direction: Tensor) -> Tensor:
            weighted = density * direction
            mean = weighted.sum(dim=(-2, -1), keepdim=True)
            of_frames = (direction * (weighted - density * mean)).sum(dim=(-2, -1)).clamp(min=0)
            return (self.weight[..., 0, 0] * of_frames).sum(dim=0)

        return Quadratic(self.weight * (density - self.label), curvature)


def regularised_softmax(scores: Tensor, softmax_reg: float | None = None) -> Tensor:
    """Softmax over the last two axes with a constant among the logits.

    Args:
        scores: (..., H', W').
        softmax_reg: the constant rho; `None` leaves it out, which is not the same as 0.

    Returns:
        e^s / (sum e^s + e^rho), shape of `scores`; gradient flows.
    """
    logits = scores.flatten(-2)
    if softmax_reg is None:
        return torch.softmax(logits, dim=-1).reshape(scores.shape)
    constant = torch.full_like(logits[..., :1], softmax_reg)
    return torch.softmax(torch.cat((logits, constant), dim=-1), dim=-1)[..., :-1].reshape(scores.shape)


def gaussian_density(centre: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """Isotropic normal density at the cells of a map.

    Args:
        centre: (..., 2), (y, x) in cells.
        size: (H', W').
        sigma: deviation, cells; 0 for 1 in the nearest cell of either axis and 0 elsewhere.

    Returns:
        (..., H', W'); sums to about one for a centre well inside the map and sigma not below half a cell.
    """
    profiles = []
    for axis, length in enumerate(size):
        offset = torch.arange(length, device=centre.device, dtype=centre.dtype) - centre[..., axis, None]
        if sigma == 0:
            nearest = offset.abs().argmin(dim=-1, keepdim=True)
            profiles.append(torch.zeros_like(offset).scatter(-1, nearest, 1.0))
        else:
            profiles.append(torch.exp(-0.5 * (offset / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma))
    return profiles[0].unsqueeze(-1) * profiles[1].unsqueeze(-2)
