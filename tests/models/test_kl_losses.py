"""Losses of probabilistic regression against their formulas, and against integrals that are known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.models.loss.kl_regression import KLRegression, KLRegressionGrid, MLRegression

numbers = st.lists(st.tuples(st.floats(-4, 4), st.floats(0.01, 5), st.floats(0, 5)), min_size=2, max_size=9)


def columns(rows) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.tensor(rows, dtype=torch.float64).unbind(dim=1)  # type: ignore[return-value]


@settings(deadline=None)
@given(numbers, st.sampled_from([0.0, 0.1]))
def test_kl_as_it_is_written(rows, eps):
    s, q, p = columns(rows)
    expected = (math.log(sum(math.exp(a) / (b + eps) for a, b, _ in rows) / len(rows))
                - sum(a * c / (b + eps) for a, b, c in rows) / len(rows))
    assert KLRegression(eps)(s, q, p).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    batch = torch.stack((s, s + 1)), torch.stack((q, q)), torch.stack((p, 0 * p))
    # Scores shifted by 1, no label: the first term grows by 1, the second vanishes.
    other = expected + sum(a * c / (b + eps) for a, b, c in rows) / len(rows) + 1
    found = KLRegression(eps)(*batch)
    assert found.item() == pytest.approx((expected + other) / 2, rel=1e-9, abs=1e-9)
    across = KLRegression(eps)(*(x.T for x in batch), mc_dim=0)
    assert across.item() == pytest.approx(found.item(), rel=1e-12)


@settings(deadline=None)
@given(numbers)
def test_likelihood_as_it_is_written(rows):
    s, q, p = columns(rows)
    q = torch.cat((torch.tensor([-1.0], dtype=torch.float64), q[1:]))
    expected = math.log(sum(math.exp(a) / b for a, b, _ in rows[1:]) / (len(rows) - 1)) - rows[0][0]
    assert MLRegression()(s, q, p).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert MLRegression()(s[:, None], q[:, None], mc_dim=0).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_likelihood_without_the_true_box_is_an_error():
    with pytest.raises(ValueError, match='add_mean_box'):
        MLRegression()(torch.zeros(2, 3), torch.ones(2, 3))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1.0, 0.25]), st.integers(0, 99))
def test_grid_as_it_is_written(rows, columns, area, seed):
    generator = torch.Generator().manual_seed(seed)
    s, y = (torch.rand(3, rows, columns, generator=generator, dtype=torch.float64) for _ in range(2))
    expected = (torch.log(area * s.exp().sum(dim=(1, 2))) - area * (s * y).sum(dim=(1, 2))).mean()
    torch.testing.assert_close(KLRegressionGrid()(s, y, grid_scale=area), expected)
    torch.testing.assert_close(KLRegressionGrid()(s.permute(1, 2, 0), y.permute(1, 2, 0), (0, 1), area), expected)


def test_the_loss_of_the_true_density_is_its_entropy_and_the_least():
    """One dimension, normal label of deviation 0.3, samples of deviation 0.6: what the formula estimates is known."""
    torch.manual_seed(0)
    x = 0.6 * torch.randn(1, 400_000, dtype=torch.float64)

    def log_normal(sigma: float) -> torch.Tensor:
        return -0.5 * (x / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))

    q, p = log_normal(0.6).exp(), log_normal(0.3).exp()
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.09)
    loss = KLRegression()
    assert loss(log_normal(0.3) + 7, q, p).item() == pytest.approx(entropy, abs=0.02)
    # KL of N(0, 0.3) from N(0, 0.45) on top.
    divergence = math.log(1.5) + 0.5 / 2.25 - 0.5
    assert loss(log_normal(0.45), q, p).item() == pytest.approx(entropy + divergence, abs=0.02)


def test_grid_loss_has_its_minimum_at_the_label():
    label = torch.softmax(torch.randn(16, generator=torch.Generator().manual_seed(0)), dim=0).reshape(1, 4, 4)
    scores = label.log().requires_grad_()
    KLRegressionGrid()(scores, label).backward()
    assert scores.grad.abs().max() < 1e-7


def test_scores_that_overflow_the_exponential():
    big = torch.tensor([[400.0, 1.0]], requires_grad=True)
    value = KLRegression()(big, torch.ones(1, 2), torch.ones(1, 2)) + KLRegressionGrid()(big[None], torch.ones(1, 1, 2))
    value.backward()
    assert value.isfinite() and big.grad.isfinite().all()
