"""ATOM's target classifier: a projection and a filter, both learned online.

Reference: Danelljan et al., "ATOM: Accurate Tracking by Overlap Maximization", CVPR 2019, Sec. 3.3.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.tensors import TensorList
from pytracking.tracker.atom.activation import activation
from pytracking.tracker.atom.optimisation import ConjugateGradient, gauss_newton
from pytracking.tracker.atom.problems import FilterProblem, JointProblem, project, respond, uniform_weights
from pytracking.utils.params import TrackerParams


class OnlineClassifier:
    """Scores = filter * phi1(P x).

    Args:
        params: see `pytracking.tracker.atom.defaults`.
        rng: of random initial weights.
    """

    def __init__(self, params: TrackerParams, rng: np.random.Generator) -> None:
        self.params = params
        self.rng = rng
        self.kernel = int(params.kernel_size)
        self.response = activation(params.get('response_activation', 'none'))
        self.inner = activation(params.get('projection_activation', 'none'))
        rate, exponent = params.learning_rate, params.get('CG_forgetting_rate', None)
        kept = None if exponent is None or rate >= 1 else (1 - rate) ** exponent
        self.solver = ConjugateGradient(params.get('fletcher_reeves', False), params.get('standard_alpha', True), kept)

    def learn_first(self, features: Tensor, labels: Tensor) -> Tensor:
        """Learn filter and projection from the samples of the first frame, of equal weight.

        Args:
            features: (n, C, H, W), normalised.
            labels: (n, H, W).

        Returns:
            The projected samples (n, c, H, W).
        """
        params = self.params
        self.projection = self._initial_projection(features)
        self.filter = self._initial_filter(features)
        weights = uniform_weights(features)
        if params.get('update_projection_matrix', True):
            problem = JointProblem(features, labels, weights, (params.filter_reg, params.projection_reg),
                                   self.response, self.inner)
            # Fletcher-Reeves whatever the flag says: that one is for the online problem.
            solver = ConjugateGradient(True, params.get('standard_alpha', True))
            point = TensorList([self.filter, self.projection])
            self.filter, self.projection = gauss_newton(problem, point, self._first_iterations(), solver)
            samples = self.project(features)
            self.learn(samples, labels, weights, params.get('post_init_CG_iter', 0))
            return samples
        samples = self.project(features)
        self.learn(samples, labels, weights, sum(self._first_iterations()))
        return samples

    def learn(self, samples: Tensor, labels: Tensor, weights: Tensor, iterations: int) -> None:
        """Improve the filter by one Gauss-Newton step of some conjugate-gradient iterations.

        Args:
            samples: (n, c, H, W), projected.
            labels: (n, H, W).
            weights: (n,).
            iterations: 0 for nothing.
        """
        if iterations > 0:
            problem = FilterProblem(samples, labels, weights, self.params.filter_reg, self.response)
            self.filter, = gauss_newton(problem, TensorList([self.filter]), [iterations], self.solver)

    def project(self, features: Tensor) -> Tensor:
        """Projected features (n, c, H, W) of normalised ones (n, C, H, W)."""
        return self.inner.value(project(features, self.projection))

    def scores(self, samples: Tensor) -> Tensor:
        """Scores (n, H, W) of projected features; as in stock without the response activation."""
        return respond(samples, self.filter)

    def _first_iterations(self) -> list[int]:
        given = self.params.init_CG_iter
        if isinstance(given, (list, tuple)):
            return list(given)
        steps = self.params.get('init_GN_iter', 1)
        return [given // steps] * steps

    def _initial_projection(self, features: Tensor) -> Tensor:
        params, channels = self.params, features.shape[1]
        dim = int(params.compressed_dim)
        method = params.get('projection_init_method', 'randn')
        if method == 'randn':
            drawn = self.rng.standard_normal((dim, channels, 1, 1)) / np.sqrt(channels)
            return torch.as_tensor(drawn, dtype=features.dtype, device=features.device)
        if method != 'pca':
            raise UserError(f"unknown projection_init_method {method!r} of the tracker atom: take 'randn' or 'pca'")
        if dim > channels:
            raise UserError(f'compressed_dim {dim} of the tracker atom is more than the {channels} channels of its '
                            'features')
        return principal_components(features, dim)[:, :, None, None]

    def _initial_filter(self, features: Tensor) -> Tensor:
        shape = (1, int(self.params.compressed_dim), self.kernel, self.kernel)
        method = self.params.get('filter_init_method', 'randn')
        if method not in ('zeros', 'randn'):
            raise UserError(f"unknown filter_init_method {method!r} of the tracker atom: take 'randn' or 'zeros'")
        drawn = self.rng.standard_normal(shape) / np.prod(shape) if method == 'randn' else np.zeros(shape)
        return torch.as_tensor(drawn, dtype=features.dtype, device=features.device)


def principal_components(features: Tensor, number: int) -> Tensor:
    """Directions (number, C) of the greatest variance of all cells of (n, C, H, W), orthonormal, of any sign."""
    cells = features.transpose(0, 1).flatten(1)
    centred = cells - cells.mean(dim=1, keepdim=True)
    # In double precision on the CPU: the matrix is small, and not every device has the decomposition.
    _, vectors = torch.linalg.eigh((centred @ centred.T).cpu().double())
    return vectors.T.flip(0)[:number].to(features)
