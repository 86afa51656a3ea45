"""CMD-PrDiMP and CMD-SuperDiMP: their losses against their formulas and against the trackers' own training."""

from __future__ import annotations

import copy
import dataclasses
import math

import pytest
import torch

from cmd_plugin.actor import CrossModalActor
from cmd_plugin.components import BBE, TCL, DensityBBE, DensityTCL
from cmd_plugin.losses import box_density_loss, classification_loss, grid_divergence
from cmd_plugin.master import MasterAdam
from cmd_plugin.recipes import RECIPES
from ltr.actors import KLDiMPActor
from ltr.models.loss.kl_regression import KLRegression, KLRegressionGrid
from ltr.models.loss.target_classification import LBHinge
from ltr.train_settings.dimp import _kl, prdimp50, super_dimp
from tests.distilling.conftest import actor_of, make_batch, small_net

KL = ('cmd_prdimp', 'cmd_super_dimp')


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def by_hand_grid(scores: list[list[float]], label: list[list[float]]) -> float:
    """One map, cell by cell."""
    partition = math.log(sum(math.exp(s) for row in scores for s in row))
    return partition - sum(s * y for rows in zip(scores, label, strict=True) for s, y in zip(*rows, strict=True))


def by_hand_boxes(scores: list[float], drawn: list[float], label: list[float]) -> float:
    """One row, proposal by proposal."""
    total = sum(math.exp(s) / q for s, q in zip(scores, drawn, strict=True))
    expected = sum(s * y / q for s, q, y in zip(scores, drawn, label, strict=True))
    return math.log(total / len(scores)) - expected / len(scores)


def test_scores_cell_by_cell():
    scores, label = 3 * random(2, 3, 4), random(2, 3, 4, seed=1)
    expected = sum(by_hand_grid(s.tolist(), y.tolist()) for s, y in zip(scores, label, strict=True)) / 2
    assert grid_divergence(scores, label).item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(grid_divergence(scores, label), KLRegressionGrid()(scores, label))


@pytest.mark.parametrize('nu', [0.0, 0.3])
def test_boxes_one_by_one(nu):
    scores, drawn, label = 3 * random(2, 5), random(2, 5, seed=1) + 0.1, random(2, 5, seed=2)
    rows = [by_hand_boxes(*(x.tolist() for x in row)) for row in zip(scores, drawn, label, strict=True)]
    theta = [torch.tensor([[1.0], [0.0]]), torch.tensor([[2.0], [1.0]])]
    loss, parts = box_density_loss(scores, drawn, label, theta, nu, scale=0.01)
    assert parts['bbe_divergence'] == pytest.approx(sum(rows) / 2, rel=1e-5)
    assert loss.item() == parts['bbe'] == pytest.approx(0.01 * sum(rows) / 2 + nu * 6 / 2, rel=1e-5)
    torch.testing.assert_close(torch.tensor(parts['bbe_divergence']), KLRegression()(scores, drawn, label))


@pytest.mark.parametrize('mu', [0.0, 0.01])
def test_iterates_weigh_a_quarter_a_quarter_and_one(mu):
    """Final 0.25, initial 0.25, mean of those between 1; the norm of each iterate beside its divergence."""
    label = random(1, 2, 2, seed=9)
    scores = [random(1, 2, 2, seed=seed) for seed in range(4)]
    filters = [torch.full((1, 4, 1, 1), value) for value in (0.0, 1.0, 2.0, 3.0)]
    terms = dataclasses.replace(RECIPES['cmd_prdimp']['c1'], mu=mu)
    loss, parts = DensityTCL().loss(scores, filters, {'test_label_density': label}, terms)
    each = [by_hand_grid(s[0].tolist(), label[0].tolist()) + mu * 4 * value ** 2 for value, s in enumerate(scores)]
    assert loss.item() == pytest.approx(0.25 * each[3] + 0.25 * each[0] + (each[1] + each[2]) / 2, rel=1e-5)
    assert parts['tcl'] == loss.item() and parts['tcl_final'] == pytest.approx(each[3] - 36 * mu, rel=1e-5)


def test_scores_that_overflow_the_exponential():
    big = torch.full((1, 2, 2), 400.0, requires_grad=True)
    loss = classification_loss([big], [], torch.full((1, 2, 2), 0.25), 'kl')[0]
    loss = loss + box_density_loss(big[:, 0], torch.full((1, 2), 1e-30), torch.ones(1, 2))[0]
    loss.backward()
    assert loss.isfinite() and big.grad.isfinite().all()


def own_loss(tracker: str, net: torch.nn.Module, batch) -> float:
    """What the tracker's own training makes of the RGB halves."""
    if tracker == 'cmd_prdimp':
        actor = _kl.prdimp_actor(net, prdimp50.RECIPE)
        assert actor.objective.keys() == {'box', 'test_density'}
    else:
        actor = _kl.super_dimp_actor(net, super_dimp.RECIPE)
        assert isinstance(actor, KLDiMPActor) and isinstance(actor.objective['test_clf'], LBHinge)
    actor.eval()
    with torch.no_grad():
        return actor({**batch, 'train_images': batch['train_images'][:, :, :3],
                      'test_images': batch['test_images'][:, :, :3]})[0].item()


@pytest.mark.parametrize('tracker', KL)
def test_where_both_modalities_are_alike_the_loss_is_the_tracker_s_own(tracker):
    """Student = teacher and TIR = RGB: what is left is the stock loss, weights of its terms included."""
    batch = make_batch()
    for key in ('train_images', 'test_images'):
        batch[key] = torch.cat((batch[key][:, :, :3],) * 2, dim=2)
    actor = actor_of('d3', tracker=tracker)
    expected = own_loss(tracker, small_net(tracker=tracker), batch)
    loss, stats = actor(batch)
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert stats['Loss/bbe'] > 0 and stats['Loss/tcl'] > 0
    one = actor_of('b1', tracker=tracker)(batch)[0].item() + actor_of('c1', tracker=tracker)(batch)[0].item()
    assert one == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('mix', ['batch', 'spatial'])
@pytest.mark.parametrize('tracker', KL)
def test_gradient_reaches_every_listed_tensor_and_no_other(tracker, mix):
    actor = actor_of(dataclasses.replace(RECIPES[tracker]['d3'], mix=mix))
    optimizer = MasterAdam([{'params': list(group.values()), 'lr': 1e-3}
                            for group in actor.recipe.trained(actor.net).values()])
    for seed in range(3):  # the initialiser of PrDiMP is zero at first, and has a gradient all the same
        loss, _ = actor(make_batch(seed=seed))
        optimizer.zero_grad()
        loss.backward()
        listed = {id(p) for group in actor.recipe.trained(actor.net).values() for p in group.values()}
        for name, parameter in actor.net.named_parameters():
            # The regularisation of PrDiMP starts at its floor: once below, it has no gradient.
            floor = tracker == 'cmd_prdimp' and name.endswith('filter_reg') and seed > 0
            assert floor or (parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)) == (
                id(parameter) in listed), name
        optimizer.step()
    assert all(p.grad is None and not p.requires_grad for p in actor.teacher.parameters())


def test_a_frozen_teacher_of_densities():
    student = small_net(tracker='cmd_prdimp')
    actor = CrossModalActor(student, copy.deepcopy(student), RECIPES['cmd_prdimp']['d3'])
    before = {key: value.clone() for key, value in actor.teacher.state_dict().items()}
    optimizer = MasterAdam([{'params': list(group.values()), 'lr': 1e-3}
                            for group in actor.recipe.trained(student).values()])
    actor.train(True)
    for seed in range(2):
        optimizer.zero_grad()
        actor(make_batch(seed=seed))[0].backward()
        optimizer.step()
    assert all(torch.equal(value, actor.teacher.state_dict()[key]) for key, value in before.items())


def test_a_density_differs_from_dimp_in_its_loss_alone():
    assert (DensityTCL.reference, DensityTCL.test, DensityTCL.joined) == (TCL.reference, TCL.test, TCL.joined)
    assert (DensityBBE.reference, DensityBBE.test, DensityBBE.joined) == (BBE.reference, BBE.test, BBE.joined)
    assert {name for kind in (DensityTCL, DensityBBE) for name, value in vars(kind).items()
            if callable(value) and not name.startswith('__')} == {'loss'}
