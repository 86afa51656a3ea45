"""Losses of probabilistic regression: scores are unnormalised log densities (PrDiMP, Sec. 4).

Reference: Danelljan, Van Gool, Timofte, "Probabilistic Regression for Visual Tracking", CVPR 2020.

Legend: J samples a frame, s scores, Q density that the samples were drawn from, P density of the label at them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class KLRegression(nn.Module):
    """KL divergence of the predicted density from the label's, by importance sampling (PrDiMP, Sec. 4).

    `logsumexp_j(s_j - log Q_j) - log J - mean_j(s_j P_j / Q_j)`, mean over all frames; the label's constant entropy is
    left out.

    Args:
        eps: added to Q.
    """

    def __init__(self, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, scores: Tensor, sample_density: Tensor, gt_density: Tensor, mc_dim: int = -1) -> Tensor:
        """Scalar loss.

        Args:
            scores: (..., J) with J at the axis `mc_dim`.
            sample_density: Q, > 0, of the same shape.
            gt_density: P, of the same shape.
            mc_dim: axis of the samples.

        Returns:
            The mean; gradient flows to `scores`.
        """
        density = sample_density + self.eps
        partition = torch.logsumexp(scores - density.log(), dim=mc_dim) - math.log(scores.shape[mc_dim])
        expected = (scores * (gt_density / density)).mean(dim=mc_dim)
        return (partition - expected).mean()


class MLRegression(nn.Module):
    """Negative log-likelihood of the true box, sample 0, which is marked by Q = -1 (PrDiMP, Sec. 4).

    `logsumexp_{j>=1}(s_j - log Q_j) - log(J - 1) - s_0`, mean over all frames.

    Args:
        eps: added to Q.
    """

    def __init__(self, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, scores: Tensor, sample_density: Tensor, gt_density: Tensor | None = None,
                mc_dim: int = -1) -> Tensor:
        """Scalar loss; arguments as in `KLRegression`, `gt_density` is not used.

        Raises:
            ValueError: sample 0 is not the marked true box.
        """
        truth, drawn = scores.select(mc_dim, 0), scores.narrow(mc_dim, 1, scores.shape[mc_dim] - 1)
        density = sample_density.narrow(mc_dim, 1, scores.shape[mc_dim] - 1) + self.eps
        if not (sample_density.select(mc_dim, 0) == -1).all():
            raise ValueError('sample 0 must be the true box, marked by a density of -1: draw with add_mean_box')
        partition = torch.logsumexp(drawn - density.log(), dim=mc_dim) - math.log(drawn.shape[mc_dim])
        return (partition - truth).mean()


class KLRegressionGrid(nn.Module):
    """KL divergence on a grid: the integrals are sums over cells (PrDiMP, Sec. 5).

    `logsumexp(s) + log A - A sum(s y)`, mean over the maps, A the area of a cell.
    """

    def forward(self, scores: Tensor, gt_density: Tensor, grid_dim: int | tuple[int, ...] = (-2, -1),
                grid_scale: float = 1.0) -> Tensor:
        """Scalar loss.

        Args:
            scores: (..., H', W').
            gt_density: y, of the same shape.
            grid_dim: axes of the grid.
            grid_scale: A.

        Returns:
            The mean; gradient flows to `scores`.
        """
        partition = torch.logsumexp(scores, dim=grid_dim) + math.log(grid_scale)
        expected = grid_scale * (scores * gt_density).sum(dim=grid_dim)
        return (partition - expected).mean()
