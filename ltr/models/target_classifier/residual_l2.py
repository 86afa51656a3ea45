"""Unrolled steepest descent with a fixed label: DiMP's descent without its learned maps (DiMP, Sec. 3.3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ltr.models.target_classifier.kl_descent import gaussian_density
from ltr.models.target_classifier.optimizer import WeightedSquares
from ltr.models.target_classifier.residual_descent import FilterSteepestDescent


class Rectified:
    """Identity on the target (mask 1), ReLU on the background (mask 0)."""

    def __call__(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Activated scores, shape of `scores`; gradient flows."""
        return torch.where(mask > 0, scores, functional.relu(scores))

    def derivative(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Derivative in `scores`: 1 or 0, and 0 at a background score of 0."""
        return ((mask > 0) | (scores > 0)).to(scores.dtype)


class DiMPL2SteepestDescentGN(FilterSteepestDescent):
    """Steepest descent on the squared distance to a Gaussian label of peak 1.

    Args:
        num_iter: steps when the caller does not say.
        feat_stride: px a feature cell.
        init_step_length: factor of every step (learned through its logarithm).
        init_filter_reg: root of the weight of |filter|^2 (learned).
        gauss_sigma: spread of the label, score cells, > 0.
        hinge_threshold: cells with a label up to this one are background: label 0, and negative scores cost nothing.
        min_filter_reg: floor of the regularisation root.
        detach_length: steps after which the filter is detached from the graph.
        alpha_eps: added to the regularisation in the step length.
    """

    def __init__(self, num_iter: int = 1, feat_stride: int = 16, init_step_length: float = 1.0,
                 init_filter_reg: float = 1e-2, gauss_sigma: float = 1.0, hinge_threshold: float = -math.inf,
                 min_filter_reg: float = 1e-3, detach_length: float = math.inf, alpha_eps: float = 0.0) -> None:
        super().__init__(num_iter, feat_stride, init_step_length, init_filter_reg, min_filter_reg, detach_length,
                         alpha_eps)
        if gauss_sigma <= 0:
            raise ValueError(f'gauss_sigma must be greater than 0, not {gauss_sigma}')
        self.gauss_sigma = gauss_sigma
        self.hinge_threshold = hinge_threshold

    def score_loss(self, centre: Tensor, size: tuple[int, int], sample_weight: Tensor | None) -> WeightedSquares:
        """See `FilterSteepestDescent`."""
        label = gaussian_density(centre, size, self.gauss_sigma) * (2 * math.pi * self.gauss_sigma ** 2)
        target = (label > self.hinge_threshold).to(label.dtype)
        root = math.sqrt(1 / len(centre)) if sample_weight is None else sample_weight.sqrt()
        return WeightedSquares(label * target, target, root, Rectified())
