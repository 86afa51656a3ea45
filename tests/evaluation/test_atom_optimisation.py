"""ATOM's optimisation against automatic differentiation and dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ltr.admin.errors import UserError
from ltr.tensors import TensorList
from pytracking.tracker.atom.activation import activation
from pytracking.tracker.atom.classifier import OnlineClassifier, principal_components
from pytracking.tracker.atom.defaults import atom_params
from pytracking.tracker.atom.optimisation import ConjugateGradient, gauss_newton
from pytracking.tracker.atom.problems import FilterProblem, JointProblem

REG = (0.1, 0.03)
KINDS = ('none', 'relu', 'elu', ('mlu', 0.05))


def tensor(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def same_convolution(features, weights):
    """Cross-correlation of unchanged size by torch's own convolution; the last row and column fall for even sizes."""
    height, width = features.shape[-2:]
    return functional.conv2d(features, weights, padding=weights.shape[-1] // 2)[:, 0, :height, :width]


def residual_of(features, labels, weights, response, inner):
    """All residuals of the joint problem (or of the filter alone, with `inner` None) as one vector."""
    def residual(point):
        projected = features if inner is None else inner.value(functional.conv2d(features, point[1]))
        error = response.value(same_convolution(projected, point[0])) - labels
        regs = [np.sqrt(reg) * part.flatten() for reg, part in zip(REG, point, strict=False)]
        return torch.cat([(weights.sqrt()[:, None, None] * error).flatten(), *regs])
    return residual


def flat(point):
    return torch.cat([part.flatten() for part in point])


def dense(residual, point):
    """Jacobian (residuals, unknowns) by automatic differentiation."""
    blocks = torch.func.jacrev(lambda *parts: residual(parts), argnums=tuple(range(len(point))))(*point)
    return torch.cat([block.flatten(1) for block in blocks], dim=1)


@pytest.mark.parametrize('kernel', [3, 4])
@pytest.mark.parametrize('response', KINDS)
@pytest.mark.parametrize('inner', ['none', ('mlu', 0.1)])
def test_products_are_those_of_automatic_differentiation(kernel, response, inner):
    features, labels, weights = tensor(0, 3, 5, 6, 7), tensor(1, 3, 6, 7), tensor(2, 3).abs()
    point = TensorList([0.1 * tensor(3, 1, 2, kernel, kernel), tensor(4, 2, 5, 1, 1)])
    step = TensorList([tensor(5, *point[0].shape), tensor(6, *point[1].shape)])
    response, inner = activation(response), activation(inner)
    residual = residual_of(features, labels, weights, response, inner)
    jacobian, value = dense(residual, point), residual(point)
    model = JointProblem(features, labels, weights, REG, response, inner).linearise(point)
    torch.testing.assert_close(flat(model.descent), -jacobian.T @ value)
    torch.testing.assert_close(flat(model.normal(step)), jacobian.T @ (jacobian @ flat(step)))

    projected = inner.value(functional.conv2d(features, point[1]))
    residual = residual_of(projected, labels, weights, response, None)
    alone, step = TensorList(point[:1]), TensorList(step[:1])
    jacobian, value = dense(residual, alone), residual(alone)
    model = FilterProblem(projected, labels, weights, REG[0], response).linearise(alone)
    torch.testing.assert_close(flat(model.descent), -jacobian.T @ value)
    torch.testing.assert_close(flat(model.normal(step)), jacobian.T @ (jacobian @ flat(step)))


@pytest.mark.parametrize('fletcher_reeves', [False, True])
@pytest.mark.parametrize('standard_alpha', [False, True])
@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 6), seed=st.integers(0, 99), preconditioned=st.booleans())
def test_conjugate_gradients_solve_a_linear_system(fletcher_reeves, standard_alpha, size, seed, preconditioned):
    """In as many iterations as there are unknowns, spread over two tensors."""
    root = tensor(seed, size + 1, size + 1)
    matrix = root @ root.T + torch.eye(size + 1, dtype=torch.float64)
    right = tensor(seed + 100, size + 1)
    diagonal = matrix.diagonal()
    split = [1, size]

    def operator(matrix):
        return lambda d: TensorList((matrix @ flat(d)).split(split))
    solver = ConjugateGradient(fletcher_reeves, standard_alpha)
    solution = solver.solve(operator(matrix), TensorList(right.split(split)), size + 1,
                            operator((1 / diagonal).diag()) if preconditioned else lambda r: r)
    torch.testing.assert_close(flat(solution), torch.linalg.solve(matrix, right), rtol=1e-5, atol=1e-7)


def test_conjugate_gradients_stop_at_the_solution():
    calls = []
    solver = ConjugateGradient()
    result = solver.solve(lambda d: calls.append(d) or d * 2.0, TensorList([torch.tensor([4.0])]), 5)
    assert result[0].item() == 2 and len(calls) == 1
    assert solver.solve(lambda d: d, TensorList([torch.zeros(3)]), 5)[0].tolist() == [0, 0, 0]


def test_forgetting_keeps_the_direction_between_calls():
    """The first direction of the second call is z + beta p, with the kept rho divided by the factor."""
    def diagonal(d):
        seen.append(d[0])
        return TensorList([torch.tensor([1.0, 2, 4]) * d[0]])
    seen: list[torch.Tensor] = []
    b = torch.tensor([1.0, 1, 1])
    solver = ConjugateGradient(fletcher_reeves=True, forgetting=0.5)
    solver.solve(diagonal, TensorList([b]), 1)
    solver.solve(diagonal, TensorList([2 * b]), 1)
    torch.testing.assert_close(seen[1], 2 * b + (12 / (3 / 0.5)) * b)
    seen.clear()
    solver = ConjugateGradient(fletcher_reeves=True)
    solver.solve(diagonal, TensorList([b]), 1)
    solver.solve(diagonal, TensorList([2 * b]), 1)
    torch.testing.assert_close(seen[1], 2 * b)


def test_gauss_newton_steps_are_the_dense_ones():
    """Two whole steps, each with iterations enough to solve its linear system, with the preconditioner."""
    features, labels, weights = tensor(0, 4, 3, 8, 8), tensor(1, 4, 8, 8), torch.full((4,), 0.25).double()
    response, inner = activation('elu'), activation('none')
    start = TensorList([0.1 * tensor(3, 1, 2, 3, 3), tensor(4, 2, 3, 1, 1)])
    problem = JointProblem(features, labels, weights, REG, response, inner)
    found = gauss_newton(problem, start, [60, 60], ConjugateGradient(fletcher_reeves=True))
    residual, point = residual_of(features, labels, weights, response, inner), start
    for _ in range(2):
        jacobian = dense(residual, point)
        step = torch.linalg.solve(jacobian.T @ jacobian, -jacobian.T @ residual(point))
        moves = step.split([part.numel() for part in point])
        point = TensorList(part + move.reshape(part.shape) for part, move in zip(point, moves, strict=True))
    torch.testing.assert_close(flat(found), flat(point), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('kind', KINDS)
def test_slopes_of_activations(kind):
    phi = activation(kind)
    x = tensor(0, 50).requires_grad_()
    slope, = torch.autograd.grad(phi.value(x).sum(), x)
    torch.testing.assert_close(slope, phi.slope(x.detach()))
    assert phi.value(torch.tensor([0.0, 2.0])).tolist() == [0, 2]


def test_mlu_at_zero_and_far_below():
    phi = activation(('mlu', 0.05))
    far = torch.tensor([-100.0, 0.0, 100.0])
    assert phi.value(far).tolist() == pytest.approx([-0.05, 0, 100])
    assert phi.slope(far).tolist() == [0, 1, 1]


@pytest.mark.parametrize('kind', ['mlu', 'tanh', ('relu', 1.0), ('mlu', 0)])
def test_unknown_activation(kind):
    with pytest.raises(UserError, match='unknown activation'):
        activation(kind)


def test_principal_components():
    """Cells on a plane with means: its two directions are found, the greater variance first."""
    basis, _ = torch.linalg.qr(tensor(0, 6, 2))
    cells = basis @ (tensor(1, 2, 200) * torch.tensor([[5.0], [1.0]])) + 3
    features = cells.reshape(6, 2, 10, 10).transpose(0, 1)
    found = principal_components(features, 2)
    torch.testing.assert_close(found @ found.T, torch.eye(2).double())
    torch.testing.assert_close(basis @ (basis.T @ found.T), found.T)
    variances = (found @ cells).var(dim=1)
    assert variances[0] > 10 * variances[1]


def classifier(**changes):
    params = atom_params()
    params.compressed_dim = 4
    for name, value in changes.items():
        setattr(params, name, value)
    return OnlineClassifier(params, np.random.default_rng(0))


def blob(centre, size=9):
    """Features with a bright cell cluster at `centre`, and the label of an even filter for it."""
    grid = torch.arange(size, dtype=torch.float32)
    peak = torch.exp(-((grid[:, None] - centre[0]) ** 2 + (grid - centre[1]) ** 2) / 2)
    noise = torch.from_numpy(np.random.default_rng(size).standard_normal((1, 6, size, size)).astype(np.float32))
    return 0.1 * noise + torch.stack([peak, -peak, 0 * peak, peak, 0 * peak, peak])[None], peak[None]


@pytest.mark.parametrize('changes', [{}, {'projection_init_method': 'pca', 'filter_init_method': 'zeros'},
                                     {'init_CG_iter': [10, 10, 10, 10, 10, 5, 5]}, {'update_projection_matrix': False},
                                     {'post_init_CG_iter': 5, 'projection_activation': 'elu'},
                                     {'CG_forgetting_rate': 75, 'fletcher_reeves': True}])
def test_classifier_finds_what_it_learned(changes):
    first, target = blob((4, 5))
    learner = classifier(**changes)
    samples = learner.learn_first(first, target)
    before = learner.scores(samples)
    assert before.flatten().argmax() == target.flatten().argmax()
    features, label = blob((2, 3))
    moved = learner.project(features)
    both, labels = torch.cat((samples, moved)), torch.cat((target, label))

    def loss():
        error = learner.response.value(learner.scores(both)) - labels
        return 0.5 * error.square().sum() + learner.params.filter_reg * learner.filter.square().sum()
    old = loss()
    learner.learn(both, labels, torch.tensor([0.5, 0.5]), 5)
    assert loss() < old
    assert learner.scores(moved).flatten().argmax() == label.flatten().argmax()


def test_first_iterations():
    assert classifier()._first_iterations() == [10] * 6
    assert classifier(init_CG_iter=[7, 3])._first_iterations() == [7, 3]


@pytest.mark.parametrize(('changes', 'message'), [
    ({'projection_init_method': 'svd'}, "unknown projection_init_method 'svd'"),
    ({'filter_init_method': 'ones'}, "unknown filter_init_method 'ones'"),
    ({'projection_init_method': 'pca', 'compressed_dim': 7}, '7 of the tracker atom is more than the 6 channels')])
def test_parameters_that_cannot_be(changes, message):
    with pytest.raises(UserError, match=message):
        classifier(**changes).learn_first(*blob((4, 4)))
