"""The two least-squares problems of ATOM's classifier, with exact products of their Jacobians.

Reference: Danelljan et al., "ATOM: Accurate Tracking by Overlap Maximization", CVPR 2019, Eq. 4.

Legend: n samples, C channels, c projected channels, H x W cells, k filter size. Scores of a sample are
phi2(filter * phi1(P x)) with a convolution that keeps the size: for an even k the last row and column are dropped.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ltr.models.layers.filter import apply_feat_transpose, apply_filter
from ltr.tensors import TensorList
from pytracking.tracker.atom.activation import Activation
from pytracking.tracker.atom.optimisation import Linearisation


def respond(features: Tensor, weights: Tensor) -> Tensor:
    """Raw scores (n, H, W) of projected features (n, c, H, W) under the filter (1, c, k, k)."""
    height, width = features.shape[-2:]
    return apply_filter(features[:, None], weights)[:, 0, :height, :width]


def _padded(scores: Tensor, kernel: int) -> Tensor:
    """Scores (n, H, W) with the dropped row and column of an even filter, (n, 1, H', W')."""
    rest = (kernel + 1) % 2
    return functional.pad(scores, (0, rest, 0, rest))[:, None]


def respond_transposed(features: Tensor, scores: Tensor, kernel: int) -> Tensor:
    """Gradient in the filter, (1, c, k, k), of the sum of `respond` times `scores` (n, H, W)."""
    return apply_feat_transpose(features[:, None], _padded(scores, kernel), kernel)


def spread(scores: Tensor, weights: Tensor) -> Tensor:
    """Gradient in the features, (n, c, H, W), of the sum of `respond` times `scores` (n, H, W)."""
    _, channels, kernel, _ = weights.shape
    # As one matrix product: several times faster on the CPU than a transposed convolution from one channel.
    columns = functional.unfold(_padded(scores, kernel), kernel, padding=kernel - 1 - kernel // 2)
    back = weights.flip(-2, -1).reshape(channels, kernel * kernel) @ columns
    return back.reshape(len(scores), channels, *scores.shape[-2:])


def project(features: Tensor, projection: Tensor) -> Tensor:
    """P x: (n, C, H, W) with P (c, C, 1, 1) to (n, c, H, W)."""
    return functional.conv2d(features, projection)


class FilterProblem:
    """The filter on projected samples: sqrt(gamma_j) (phi2(f * z_j) - y_j) and sqrt(reg) f. The point is (f,).

    Args:
        features: z, (n, c, H, W).
        labels: y, (n, H, W).
        weights: gamma, (n,).
        reg: weight of |f|^2.
        response: phi2.
    """

    def __init__(self, features: Tensor, labels: Tensor, weights: Tensor, reg: float, response: Activation) -> None:
        self.features, self.labels = features, labels
        self.weights = weights[:, None, None]
        self.reg, self.response = reg, response

    def linearise(self, point: TensorList) -> Linearisation:
        """See `Problem`."""
        features, (weights,) = self.features, point
        kernel = weights.shape[-1]
        raw = respond(features, weights)
        slope = self.response.slope(raw)
        error = self.weights * slope * (self.response.value(raw) - self.labels)
        curvature = self.weights * slope.square()

        def normal(step: TensorList) -> TensorList:
            along = curvature * respond(features, step[0])
            return TensorList([respond_transposed(features, along, kernel) + self.reg * step[0]])
        gradient = respond_transposed(features, error, kernel) + self.reg * weights
        return Linearisation(TensorList([-gradient]), normal)

    def precondition(self, residual: TensorList) -> TensorList:
        """None."""
        return residual


class JointProblem:
    """Filter and projection together: the residuals of `FilterProblem` with z = phi1(P x), and sqrt(projection_reg) P.

    The point is (f, P).

    Args:
        features: x, (n, C, H, W).
        labels: y, (n, H, W).
        weights: gamma, (n,).
        reg: weights of |f|^2 and |P|^2.
        response: phi2.
        projection: phi1.
    """

    def __init__(self, features: Tensor, labels: Tensor, weights: Tensor, reg: tuple[float, float],
                 response: Activation, projection: Activation) -> None:
        self.features, self.labels = features, labels
        self.columns = features.flatten(2).transpose(0, 1).flatten(1).contiguous()
        self.weights = weights[:, None, None]
        self.reg, self.response, self.projection = reg, response, projection

    def linearise(self, point: TensorList) -> Linearisation:
        """See `Problem`."""
        weights, projection = point
        kernel = weights.shape[-1]
        linear = self._project(projection)
        inner_slope = self.projection.slope(linear)
        projected = self.projection.value(linear)
        raw = respond(projected, weights)
        slope = self.response.slope(raw)
        error = self.weights * slope * (self.response.value(raw) - self.labels)
        curvature = self.weights * slope.square()

        def transposed(scores: Tensor, at: TensorList) -> TensorList:
            back = self._project_transposed(inner_slope * spread(scores, weights))
            return TensorList([respond_transposed(projected, scores, kernel) + self.reg[0] * at[0],
                               back + self.reg[1] * at[1]])

        def normal(step: TensorList) -> TensorList:
            moved = inner_slope * self._project(step[1])
            return transposed(curvature * (respond(projected, step[0]) + respond(moved, weights)), step)
        return Linearisation(-transposed(error, point), normal)

    def precondition(self, residual: TensorList) -> TensorList:
        """Each part by the weight of its regularisation."""
        return TensorList([residual[0] / self.reg[0], residual[1] / self.reg[1]])

    def _project(self, projection: Tensor) -> Tensor:
        n, _, height, width = self.features.shape
        linear = projection.flatten(1) @ self.columns
        return linear.reshape(-1, n, height, width).transpose(0, 1)

    def _project_transposed(self, scores: Tensor) -> Tensor:
        """Gradient (c, C, 1, 1) of the sum of P x times `scores` (n, c, H, W)."""
        return (scores.transpose(0, 1).flatten(1) @ self.columns.T)[:, :, None, None]


def uniform_weights(features: Tensor) -> Tensor:
    """1 / n for every sample."""
    return torch.full((len(features),), 1 / len(features), device=features.device, dtype=features.dtype)
