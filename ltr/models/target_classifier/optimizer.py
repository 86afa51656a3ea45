"""The second half of the model predictor: unrolled steepest descent on the filter (DiMP, Sec. 3.3-3.4).

Legend: n frames, q sequences, C channels, k filter size, H' x W' score cells, N distance bins.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ltr.models.layers.activation import ScoreActivation
from ltr.models.layers.distance import DistanceMap
from ltr.models.layers.filter import apply_feat_transpose, apply_filter


class DiMPSteepestDescentGN(nn.Module):
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
        super().__init__()
        if mask_act not in ('sigmoid', 'linear'):
            raise ValueError(f"mask_act must be 'sigmoid' or 'linear', not {mask_act!r}")
        self.num_iter = num_iter
        self.feat_stride = feat_stride
        self.min_filter_reg = min_filter_reg
        self.detach_length = detach_length
        self.alpha_eps = alpha_eps
        self.mask_act = mask_act
        self.log_step_length = nn.Parameter(math.log(init_step_length) * torch.ones(1))
        self.filter_reg = nn.Parameter(init_filter_reg * torch.ones(1))
        self.distance_map = DistanceMap(num_dist_bins, bin_displacement)
        self.score_activation = ScoreActivation(score_act, act_param)

        distance = torch.arange(num_dist_bins, dtype=torch.float32) * bin_displacement
        self.label_map_predictor = _predictor(_initial_label(distance, init_gauss_sigma))
        offset = 0.5 if mask_act == 'linear' else 0.0
        mask = _predictor(mask_init_factor * torch.tanh(2.0 - distance) + offset)
        self.target_mask_predictor = nn.Sequential(mask, *([nn.Sigmoid()] if mask_act == 'sigmoid' else []))
        self.spatial_weight_predictor = _predictor(torch.ones(num_dist_bins))

    def _maps(self, bb: Tensor, filter_size: int, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        """Label, target mask and spatial weight of every cell: three (n, q, H', W')."""
        n, q = bb.shape[:2]
        centre = (bb[..., :2] + bb[..., 2:] / 2).reshape(-1, 2).flip(1) / self.feat_stride
        mask_conv: nn.Conv2d = self.target_mask_predictor[0]  # type: ignore[assignment]
        tables = torch.stack([conv.weight.flatten() for conv in
                              (self.label_map_predictor, mask_conv, self.spatial_weight_predictor)])
        maps = self.distance_map(centre - (filter_size % 2) / 2, size, tables).reshape(3, n, q, *size)
        mask = torch.sigmoid(maps[1]) if self.mask_act == 'sigmoid' else maps[1]
        return maps[0], mask, maps[2]

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
            for the detached ones and the sign of the score activation.
        """
        num_iter = self.num_iter if num_iter is None else num_iter
        feat = feat if feat.dim() == 5 else feat[:, None]
        bb = bb.reshape(*feat.shape[:2], 4)
        n, q = feat.shape[:2]
        k = weights.shape[-1]
        size = (feat.shape[-2] + 1 - k % 2, feat.shape[-1] + 1 - k % 2)
        label, mask, spatial = self._maps(bb, k, size)
        if sample_weight is None:
            spatial = math.sqrt(1.0 / n) * spatial
        else:
            spatial = sample_weight.reshape(n, -1, 1, 1).sqrt() * spatial
        reg = (self.filter_reg * self.filter_reg).clamp(min=self.min_filter_reg ** 2)
        step_factor = torch.exp(self.log_step_length)

        def residual_of(scores: Tensor) -> Tensor:
            return spatial * (self.score_activation(scores, mask) - label)

        def loss_of(residuals: Tensor) -> Tensor:
            return (residuals.square().sum() + reg * weights.square().sum()) / q

        iterates, losses = [weights], []
        for step in range(num_iter):
            if self.detach_length == 0 or (step > 0 and step % self.detach_length == 0):
                weights = weights.detach()
            scores = apply_filter(feat, weights)
            slope = spatial * self.score_activation.derivative(scores, mask)
            residuals = residual_of(scores)
            if compute_losses:
                losses.append(loss_of(residuals))
            gradient = apply_feat_transpose(feat, slope * residuals, k) + reg * weights
            curvature = slope * apply_filter(feat, gradient)
            energy = gradient.square().sum(dim=(1, 2, 3))
            alpha = energy / (curvature.square().sum(dim=(0, 2, 3))
                              + (reg + self.alpha_eps) * energy).clamp(min=1e-8)
            weights = weights - (step_factor * alpha).view(-1, 1, 1, 1) * gradient
            iterates.append(weights)
        if compute_losses:
            losses.append(loss_of(residual_of(apply_filter(feat, weights))))
        return weights, iterates, losses


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
