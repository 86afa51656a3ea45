"""The second half of the model predictor: unrolled steepest descent on the filter (DiMP, Sec. 3.3-3.4).

Legend: n frames, q sequences, H' x W' score cells, N distance bins.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from ltr.models.layers.activation import ScoreActivation
from ltr.models.layers.distance import DistanceMap
from ltr.models.target_classifier.residual_descent import FilterSteepestDescent, Quadratic


class DiMPSteepestDescentGN(FilterSteepestDescent):
    """Steepest descent with Gauss-Newton step lengths; label, mask and weight of every cell are learned.

    Args:
        num_iter: steps when the caller does not say.
        feat_stride: px a feature cell.
        init_step_length: factor of every step (learned through its logarithm).
        init_filter_reg: root of the weight of |filter|^2 (learned).
        init_gauss_sigma: spread of the initial label map, score cells.
        num_dist_bins: N.
        bin_displacement: cells between two bins.
        mask_init_factor: steepness of the initial target mask.
        score_act: `'relu'` or `'bentpar'`, with parameter `act_param`.
        min_filter_reg: floor of the regularisation root.
        mask_act: `'sigmoid'` or `'linear'`.
        detach_length: steps after which the filter is detached from the graph.
        alpha_eps: added to the regularisation in the step length.
    """

    def __init__(self, num_iter: int = 1, feat_stride: int = 16, init_step_length: float = 1.0,
                 init_filter_reg: float = 1e-2, init_gauss_sigma: float = 1.0, num_dist_bins: int = 5,
                 bin_displacement: float = 1.0, mask_init_factor: float = 4.0, score_act: str = 'relu',
                 act_param: float | None = None, min_filter_reg: float = 1e-3, mask_act: str = 'sigmoid',
                 detach_length: float = math.inf, alpha_eps: float = 0.0) -> None:
        super().__init__(num_iter, feat_stride, init_step_length, init_filter_reg, min_filter_reg, detach_length,
                         alpha_eps)
        if mask_act not in ('sigmoid', 'linear'):
            raise ValueError(f"mask_act must be 'sigmoid' or 'linear', not {mask_act!r}")
        self.mask_act = mask_act
        self.distance_map = DistanceMap(num_dist_bins, bin_displacement)
        self.score_activation = ScoreActivation(score_act, act_param)

        distance = torch.arange(num_dist_bins, dtype=torch.float32) * bin_displacement
        self.label_map_predictor = _predictor(_initial_label(distance, init_gauss_sigma))
        offset = 0.5 if mask_act == 'linear' else 0.0
        mask = _predictor(mask_init_factor * torch.tanh(2.0 - distance) + offset)
        self.target_mask_predictor = nn.Sequential(mask, *([nn.Sigmoid()] if mask_act == 'sigmoid' else []))
        self.spatial_weight_predictor = _predictor(torch.ones(num_dist_bins))

    def score_loss(self, centre: Tensor, size: tuple[int, int], sample_weight: Tensor | None) -> WeightedSquares:
        """See `FilterSteepestDescent`."""
        n, q = centre.shape[:2]
        mask_conv: nn.Conv2d = self.target_mask_predictor[0]  # type: ignore[assignment]
        tables = torch.stack([conv.weight.flatten() for conv in
                              (self.label_map_predictor, mask_conv, self.spatial_weight_predictor)])
        label, mask, spatial = self.distance_map(centre.reshape(-1, 2), size, tables).reshape(3, n, q, *size)
        if self.mask_act == 'sigmoid':
            mask = torch.sigmoid(mask)
        root = math.sqrt(1.0 / n) if sample_weight is None else sample_weight.sqrt()
        return WeightedSquares(label, mask, root * spatial, self.score_activation)


class Activation(Protocol):
    """What the loss makes of scores, given a mask of the target; see `ScoreActivation`."""

    def __call__(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Activated scores."""
        ...

    def derivative(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Its derivative in the scores."""
        ...


class WeightedSquares:
    """Sum of the squares of `spatial * (activation(scores, mask) - label)`.

    Args:
        label, mask: (n, q, H', W').
        spatial: weight of cells and frames, broadcastable to the label.
        activation: with its derivative.
    """

    def __init__(self, label: Tensor, mask: Tensor, spatial: Tensor | float, activation: Activation) -> None:
        self.label, self.mask, self.spatial, self.activation = label, mask, spatial, activation

    def _residual(self, scores: Tensor) -> Tensor:
        return self.spatial * (self.activation(scores, self.mask) - self.label)

    def value(self, scores: Tensor) -> Tensor:
        """See `ScoreLoss`."""
        return self._residual(scores).square().sum()

    def quadratic(self, scores: Tensor) -> Quadratic:
        """Gauss-Newton: the residuals are linearised. The factor 2 of the squares is dropped in both parts."""
        slope = self.spatial * self.activation.derivative(scores, self.mask)
        return Quadratic(slope * self._residual(scores),
                         lambda direction: (slope * direction).square().sum(dim=(0, 2, 3)))


def _predictor(table: Tensor) -> nn.Conv2d:
    """A 1x1 convolution over distance bins; only its weight, one value a bin, is used (see `DistanceMap`)."""
    conv = nn.Conv2d(len(table), 1, kernel_size=1, bias=False)
    conv.weight.data = table.reshape(1, -1, 1, 1).clone()
    return conv


def _initial_label(distance: Tensor, sigma: float) -> Tensor:
    if sigma == 0:
        return (distance == 0).to(distance.dtype)
    gauss = torch.exp(-0.5 * (distance / sigma) ** 2)
    return gauss - gauss.min()
