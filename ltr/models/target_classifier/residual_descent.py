"""Steepest descent on a filter with the step length of a quadratic model of the loss (DiMP, Sec. 3.3).

Legend: n frames, q sequences, C channels, k filter size, H' x W' score cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from ltr.models.layers.filter import apply_feat_transpose, apply_filter


@dataclass(frozen=True)
class Quadratic:
    """A loss near some scores.

    Attributes:
        gradient: (n, q, H', W').
        curvature: of a change of the scores (n, q, H', W'), the second derivative along it, summed over the frames:
            (q,), never negative.
    """

    gradient: Tensor
    curvature: Callable[[Tensor], Tensor]


class ScoreLoss(Protocol):
    """A loss of score maps (n, q, H', W'), weighted over the frames; the filter's regularisation is not part of it."""

    def value(self, scores: Tensor) -> Tensor:
        """Scalar, summed over all frames and sequences."""
        ...

    def quadratic(self, scores: Tensor) -> Quadratic:
        """Its quadratic model at `scores`."""
        ...


class FilterSteepestDescent(nn.Module):
    """Unrolled steepest descent on a filter; what is descended is said by a subclass (`score_loss`).

    Args:
        num_iter: steps when the caller does not say.
        feat_stride: px a feature cell.
        init_step_length: factor of every step (learned through its logarithm).
        init_filter_reg: root of the weight of |filter|^2 (learned).
        min_filter_reg: floor of that root.
        detach_length: steps after which the filter is detached from the graph.
        alpha_eps: added to the regularisation in the step length.
    """

    def __init__(self, num_iter: int = 1, feat_stride: int = 16, init_step_length: float = 1.0,
                 init_filter_reg: float = 1e-2, min_filter_reg: float = 1e-3, detach_length: float = math.inf,
                 alpha_eps: float = 0.0) -> None:
        super().__init__()
        self.num_iter = num_iter
        self.feat_stride = feat_stride
        self.min_filter_reg = min_filter_reg
        self.detach_length = detach_length
        self.alpha_eps = alpha_eps
        self.log_step_length = nn.Parameter(math.log(init_step_length) * torch.ones(1))
        self.filter_reg = nn.Parameter(init_filter_reg * torch.ones(1))

    def score_loss(self, centre: Tensor, size: tuple[int, int], sample_weight: Tensor | None) -> ScoreLoss:
        """The loss that is descended.

        Args:
            centre: (n, q, 2) target centres (y, x), score cells.
            size: (H', W').
            sample_weight: (n, 1, 1, 1) or (n, q, 1, 1); 1/n each when `None`.
        """
        raise NotImplementedError

    def forward(self, weights: Tensor, feat: Tensor, bb: Tensor, sample_weight: Tensor | None = None,
                num_iter: int | None = None, compute_losses: bool = True,
                ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Refine a filter on the reference frames.

        Args:
            weights: (q, C, k, k) initial filter.
            feat: (n, q, C, H, W) features; 4 dimensions mean q = 1.
            bb: (n, q, 4) target boxes, `xywh`, crop px; (n, 4) with q = 1.
            sample_weight: (n,) or (n, q) weights of the frames; 1/n each when `None`.
            num_iter: steps, `self.num_iter` when `None`.
            compute_losses: also return the loss before every step and after the last.

        Returns:
            The final filter, the iterates (initial filter first), the losses. Gradient flows through every step, but
            for the detached ones and the kinks of the score activation.
        """
        num_iter = self.num_iter if num_iter is None else num_iter
        feat = feat if feat.dim() == 5 else feat[:, None]
        bb = bb.reshape(*feat.shape[:2], 4)
        n, q = feat.shape[:2]
        k = weights.shape[-1]
        size = (feat.shape[-2] + 1 - k % 2, feat.shape[-1] + 1 - k % 2)
        centre = (bb[..., :2] + bb[..., 2:] / 2).flip(-1) / self.feat_stride - (k % 2) / 2
        objective = self.score_loss(centre, size, None if sample_weight is None
                                    else sample_weight.reshape(n, -1, 1, 1))
        reg = (self.filter_reg * self.filter_reg).clamp(min=self.min_filter_reg ** 2)
        step_factor = torch.exp(self.log_step_length)

        def total(weights: Tensor, scores: Tensor) -> Tensor:
            return (objective.value(scores) + reg * weights.square().sum()) / q

        iterates, losses = [weights], []
        for step in range(num_iter):
            if self.detach_length == 0 or (step > 0 and step % self.detach_length == 0):
                weights = weights.detach()
            scores = apply_filter(feat, weights)
            if compute_losses:
                losses.append(total(weights, scores))
            model = objective.quadratic(scores)
            gradient = apply_feat_transpose(feat, model.gradient, k) + reg * weights
            curvature = model.curvature(apply_filter(feat, gradient))
            energy = gradient.square().sum(dim=(1, 2, 3))
            alpha = energy / (curvature + (reg + self.alpha_eps) * energy).clamp(min=1e-8)
            weights = weights - (step_factor * alpha).view(-1, 1, 1, 1) * gradient
            iterates.append(weights)
        if compute_losses:
            losses.append(total(weights, apply_filter(feat, weights)))
        return weights, iterates, losses
