"""Loss terms of Eq. 1-3 with numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from cmd_plugin.losses import (
    classification_loss,
    hinge_residual,
    iou_loss,
    over_iterates,
    squared_norm,
    squared_residual,
)

LABEL = torch.tensor([[[1.0, 0.5], [0.04, 0.0]]])
SCORES = torch.tensor([[[0.5, 1.0], [-2.0, 0.25]]])


def test_residuals():
    """Target cells 0.5 and 0.5 off; background -2 counts for Eq. 2 alone, 0.25 for both."""
    assert hinge_residual(SCORES, LABEL).item() == pytest.approx((0.25 + 0.25 + 0 + 0.0625) / 4)
    assert squared_residual(SCORES, LABEL).item() == pytest.approx((0.25 + 0.25 + 2.04 ** 2 + 0.0625) / 4)


def test_the_background_of_the_hinge_ends_at_0_05():
    at = torch.tensor([[[-1.0]]])
    assert hinge_residual(at, torch.tensor([[[0.0499]]])).item() == 0
    assert hinge_residual(at, torch.tensor([[[0.05]]])).item() == pytest.approx(1.05 ** 2)


@pytest.mark.parametrize(('losses', 'expected'), [([3.0], 300), ([2.0, 3.0], 300 + 200),
                                                  ([2.0, 1.0, 5.0, 3.0], 300 + 200 + 400 * 3.0)])
def test_weights_of_the_iterates(losses, expected):
    """Final filter 100, initial 100, mean of those between 400."""
    assert over_iterates([torch.tensor(value) for value in losses]).item() == pytest.approx(expected)


def test_squared_norm_is_a_sum_over_parts_and_a_mean_over_rows():
    first, second = torch.full((2, 3, 1, 1), 2.0), torch.tensor([[1.0], [3.0]])
    assert squared_norm([first]).item() == pytest.approx(12)
    assert squared_norm([first, second]).item() == pytest.approx(12 + (1 + 9) / 2)


@pytest.mark.parametrize(('residual', 'each'), [('hinge', (0.25 + 0.25 + 0.0625) / 4),
                                                ('squared', (0.25 + 0.25 + 2.04 ** 2 + 0.0625) / 4)])
@pytest.mark.parametrize('mu', [0.0, 0.01])
def test_tcl(residual, each, mu):
    """Three iterates with equal maps and filters of squared norm 4, 16, 36; all rows alike."""
    filters = [torch.full((1, 4, 1, 1), value) for value in (1.0, 2.0, 3.0)]
    loss, parts = classification_loss([SCORES] * 3, filters, LABEL, residual, mu)
    assert loss.item() == pytest.approx(600 * each + mu * (100 * 36 + 100 * 4 + 400 * 16))
    assert parts == {'tcl': loss.item(), 'tcl_final': pytest.approx(each), 'tcl_initial': pytest.approx(each)}


@pytest.mark.parametrize('nu', [0.0, 0.5])
def test_bbe(nu):
    predicted, target = torch.tensor([[0.5, 0.0], [0.0, -1.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    theta = [torch.tensor([[1.0], [0.0]]), torch.tensor([[2.0], [1.0]])]
    loss, parts = iou_loss(predicted, target, theta, nu)
    assert loss.item() == pytest.approx((0.25 + 4) / 4 + nu * (1 + 4 + 0 + 1) / 2)
    assert parts == {'bbe': loss.item()}


def test_gradient_reaches_filters_and_modulation():
    phi, theta = torch.ones(2, 3, 1, 1, requires_grad=True), torch.ones(2, 3, 1, 1, requires_grad=True)
    classification_loss([SCORES], [phi], LABEL, mu=0.1)[0].backward()
    iou_loss(torch.zeros(2, 1), torch.zeros(2, 1), [theta], 0.1)[0].backward()
    torch.testing.assert_close(phi.grad, torch.full((2, 3, 1, 1), 100 * 0.1 * 2 / 2))
    torch.testing.assert_close(theta.grad, torch.full((2, 3, 1, 1), 0.1 * 2 / 2))
