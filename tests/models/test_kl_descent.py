"""The KL model predictor against autograd: gradient, Hessian-vector product and Newton step, in float64."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ltr.models.target_classifier.kl_descent import PrDiMPSteepestDescentNewton, gaussian_density, regularised_softmax
from ltr.models.target_classifier.residual_l2 import DiMPL2SteepestDescentGN

STRIDE, FRAMES, SEQUENCES, SIDE = 16, 3, 2, 7
WEIGHTS = {'none': None, 'frames': torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64),
           'sequences': torch.tensor([[0.5, 0.1], [0.2, 0.7], [0.3, 0.2]], dtype=torch.float64)}


def rand(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def boxes() -> torch.Tensor:
    return torch.tensor([[[30., 41, 33, 20], [50, 20, 24, 37]], [[35, 45, 31, 26], [44, 31, 30, 30]],
                         [[28, 52, 30, 22], [61, 18, 22, 40]]], dtype=torch.float64)


def gammas(kind: str, root: bool) -> torch.Tensor:
    """Weight (n, q) of every frame."""
    weight = WEIGHTS[kind]
    weight = torch.full((FRAMES,), 1 / FRAMES, dtype=torch.float64) if weight is None else weight
    weight = weight.reshape(FRAMES, -1).expand(FRAMES, SEQUENCES)
    return weight.sqrt() if root else weight


def centre_of(box: torch.Tensor, k: int) -> tuple[float, float]:
    x, y, w, h = box.tolist()
    return (y + h / 2) / STRIDE - (k % 2) / 2, (x + w / 2) / STRIDE - (k % 2) / 2


def brute_density(box: torch.Tensor, k: int, sigma: float) -> torch.Tensor:
    size, (row, column) = SIDE + 1 - k % 2, centre_of(box, k)
    return torch.tensor([[math.exp(-((i - row) ** 2 + (j - column) ** 2) / (2 * sigma ** 2))
                          / (2 * math.pi * sigma ** 2) for j in range(size)] for i in range(size)], dtype=torch.float64)


def divergence(scores: torch.Tensor, label: torch.Tensor, rho: float | None) -> torch.Tensor:
    """`log(sum e^s + e^rho) - sum y s` of one map, as it is written."""
    extra = 0 if rho is None else math.exp(rho)
    return torch.log(scores.exp().sum() + extra) - (label * scores).sum()


def newton_step(loss, weights: torch.Tensor, reg: float, eps: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of one sequence: gradient, g'Hg of the data term, next filter; by autograd alone."""
    weights = weights.detach().requires_grad_()
    data_gradient, = torch.autograd.grad(loss(weights), weights, create_graph=True)
    gradient = (data_gradient + reg * weights).detach()
    product, = torch.autograd.grad((data_gradient * gradient).sum(), weights)
    curvature = (product * gradient).sum()
    energy = gradient.square().sum()
    return gradient, curvature, weights.detach() - energy / (curvature + (reg + eps) * energy) * gradient


@pytest.mark.parametrize('weight', WEIGHTS)
@pytest.mark.parametrize(('k', 'rho'), [(4, None), (3, None), (4, -1.5), (3, 0.0)])
def test_every_step_is_the_newton_step_of_autograd(k, rho, weight):
    optimizer = PrDiMPSteepestDescentNewton(
        num_iter=3, init_step_length=0.7, init_filter_reg=0.3, gauss_sigma=0.9, alpha_eps=0.05, normalize_label=True,
        softmax_reg=rho, label_shrink=0.1, init_uni_weight=0.2).double()
    feat, start = rand(FRAMES, SEQUENCES, 5, SIDE, SIDE), rand(SEQUENCES, 5, k, k, seed=1)
    with torch.no_grad():
        _, iterates, losses = optimizer(start, feat, boxes(), WEIGHTS[weight])
    assert torch.equal(iterates[0], start) and len(iterates) == len(losses) == 4
    reg, factor = optimizer.filter_reg.item() ** 2, optimizer.log_step_length.exp().item()
    assert reg == pytest.approx(0.09, rel=1e-6) and factor == pytest.approx(0.7, rel=1e-6)
    gamma = gammas(weight, root=False)
    totals = torch.zeros(4, dtype=torch.float64)
    for q in range(SEQUENCES):
        labels = []
        for n in range(FRAMES):
            density = brute_density(boxes()[n, q], k, 0.9)
            density = density / (density.sum() + 1e-8)
            labels.append(0.9 * (0.8 * density + 0.2 / density.numel()))

        def loss(weights, q=q, labels=labels):
            scores = functional.conv2d(feat[:, q], weights[None], padding=k // 2)[:, 0]
            return sum(gamma[n, q] * divergence(scores[n], labels[n], rho) for n in range(FRAMES))

        for index in range(3):
            _, curvature, following = newton_step(loss, iterates[index][q], reg, 0.05)
            assert curvature > 0
            step = iterates[index + 1][q] - iterates[index][q]
            torch.testing.assert_close(step, factor * (following - iterates[index][q]), rtol=1e-9, atol=1e-12)
        totals += torch.stack([loss(w[q]) + reg * w[q].square().sum() for w in iterates])
    torch.testing.assert_close(torch.cat(losses), totals / SEQUENCES, rtol=1e-9, atol=1e-12)


def test_the_floor_of_the_regularisation():
    """Below the floor the root counts as the floor, and gets no gradient."""
    feat, start = rand(FRAMES, SEQUENCES, 5, SIDE, SIDE), rand(SEQUENCES, 5, 4, 4, seed=1)
    low = PrDiMPSteepestDescentNewton(num_iter=1, init_filter_reg=0.01, min_filter_reg=0.3).double()
    at = PrDiMPSteepestDescentNewton(num_iter=1, init_filter_reg=0.3, min_filter_reg=0.001).double()
    found, expected = low(start, feat, boxes())[0], at(start, feat, boxes())[0]
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)
    assert torch.autograd.grad(found.sum(), low.filter_reg)[0] == 0
    assert torch.autograd.grad(expected.sum(), at.filter_reg)[0] != 0


def test_gradient_flows_through_the_steps():
    optimizer = PrDiMPSteepestDescentNewton(num_iter=2, init_filter_reg=0.3, alpha_eps=0.05).double()
    feat, start = rand(2, 1, 2, 4, 4).requires_grad_(), rand(1, 2, 4, 4, seed=1).requires_grad_()
    box = boxes()[:2, :1]
    assert torch.autograd.gradcheck(lambda f, w: optimizer(w, f, box, compute_losses=False)[0], (feat, start))


@pytest.mark.parametrize(('length', 'reaches'), [(math.inf, True), (2, False), (0, False)])
def test_detached_steps(length, reaches):
    optimizer = PrDiMPSteepestDescentNewton(num_iter=4, detach_length=length).double()
    start = rand(1, 2, 4, 4).requires_grad_()
    final, iterates, _ = optimizer(start, rand(2, 1, 2, 4, 4, seed=1), boxes()[:2, :1])
    gradient, = torch.autograd.grad(final.sum(), start, allow_unused=True, retain_graph=True)
    assert (gradient is not None) is reaches
    early, = torch.autograd.grad(iterates[1].sum(), start, allow_unused=True)
    assert (early is not None) is (length != 0), 'iterates that are stored already stay attached'


def test_great_scores_give_finite_losses_and_steps():
    optimizer = PrDiMPSteepestDescentNewton(num_iter=2, softmax_reg=1.0)
    feat, start = 50 * rand(2, 1, 2, 4, 4).float(), 50 * rand(1, 2, 4, 4, seed=1).float()
    final, _, losses = optimizer(start, feat, boxes()[:2, :1].float())
    assert final.isfinite().all() and torch.cat(losses).isfinite().all()


class TestLabel:
    def label(self, **options) -> torch.Tensor:
        return PrDiMPSteepestDescentNewton(gauss_sigma=0.9, **options).label(torch.tensor([5.2, 9.7]), (19, 19))

    def test_sums(self):
        assert float(self.label().sum()) == pytest.approx(1, abs=1e-4)
        assert float(self.label(normalize_label=True).sum()) == pytest.approx(1, abs=1e-6)
        assert float(self.label(normalize_label=True, label_shrink=0.25).sum()) == pytest.approx(0.75, abs=1e-6)
        assert float(self.label(normalize_label=True, init_uni_weight=0.5).min()) == pytest.approx(0.5 / 361)

    def test_mean_is_the_centre(self):
        label, index = self.label(normalize_label=True), torch.arange(19.)
        assert float((label.sum(dim=1) * index).sum()) == pytest.approx(5.2, abs=1e-3)
        assert float((label.sum(dim=0) * index).sum()) == pytest.approx(9.7, abs=1e-3)

    def test_threshold_is_strict(self):
        plain = self.label()
        value = plain.flatten().sort().values[-4].item()
        assert int((self.label(label_threshold=value) > 0).sum()) == int((plain > value).sum()) == 3

    def test_no_spread_is_the_nearest_cell(self):
        density = gaussian_density(torch.tensor([[2.4, 0.6], [-3.0, 9.0]]), (5, 4), 0)
        assert density.nonzero().tolist() == [[0, 2, 1], [1, 0, 3]] and density.max() == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.none() | st.floats(-5, 5), st.integers(0, 99))
def test_regularised_softmax_as_it_is_written(rows, columns, rho, seed):
    scores = rand(2, rows, columns, seed=seed)
    extra = 0 if rho is None else math.exp(rho)
    expected = scores.exp() / (scores.exp().sum(dim=(1, 2), keepdim=True) + extra)
    torch.testing.assert_close(regularised_softmax(scores, rho), expected)


@pytest.mark.parametrize('weight', WEIGHTS)
@pytest.mark.parametrize('threshold', [-math.inf, 0.05])
def test_l2_steps_are_gauss_newton_steps_of_autograd(threshold, weight):
    optimizer = DiMPL2SteepestDescentGN(num_iter=2, init_step_length=0.7, init_filter_reg=0.3, gauss_sigma=0.9,
                                        hinge_threshold=threshold).double()
    feat, start = rand(FRAMES, SEQUENCES, 5, SIDE, SIDE), rand(SEQUENCES, 5, 4, 4, seed=1)
    with torch.no_grad():
        _, iterates, losses = optimizer(start, feat, boxes(), WEIGHTS[weight])
    roots = gammas(weight, root=True)
    reg, factor = optimizer.filter_reg.item() ** 2, optimizer.log_step_length.exp().item()
    total = torch.zeros(3, dtype=torch.float64)
    for q in range(SEQUENCES):
        label = torch.stack([brute_density(boxes()[n, q], 4, 0.9) for n in range(FRAMES)]) * (2 * math.pi * 0.81)
        target = label > threshold
        label = label * target

        def residuals(weights, q=q, label=label, target=target):
            scores = functional.conv2d(feat[:, q], weights[None], padding=2)[:, 0]
            scores = torch.where(target, scores, scores.clamp(min=0))
            return roots[:, q, None, None] * (scores - label)

        for index in range(2):
            now = iterates[index][q]
            _, jacobian_product = torch.autograd.functional.vjp(residuals, now, residuals(now))
            gradient = jacobian_product + reg * now
            _, moved = torch.autograd.functional.jvp(residuals, now, gradient)
            energy = gradient.square().sum()
            expected = now - factor * energy / (moved.square().sum() + reg * energy) * gradient
            torch.testing.assert_close(iterates[index + 1][q], expected, rtol=1e-9, atol=1e-12)
        total += torch.stack([residuals(w[q]).square().sum() + reg * w[q].square().sum() for w in iterates])
    torch.testing.assert_close(torch.cat(losses), total / SEQUENCES, rtol=1e-9, atol=1e-12)


def test_l2_needs_a_spread():
    with pytest.raises(ValueError, match='gauss_sigma'):
        DiMPL2SteepestDescentGN(gauss_sigma=0)
