"""CMD-ToMP: one component that reads both encodings; its loss, its branches, and a teacher that stays as it is."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from cmd_plugin.actor import CrossModalActor
from cmd_plugin.components import Joint
from cmd_plugin.errors import UserError
from cmd_plugin.losses import overlap_loss
from cmd_plugin.master import MasterAdam
from cmd_plugin.recipes import RECIPES
from ltr.data.labels import gaussian_label_function
from ltr.models.loss.box_overlap import GIoULoss
from ltr.models.tracking.dimpnet import dimpnet_small
from ltr.models.tracking.tompnet import tompnet_small
from ltr.models.transformer.target_model import Prediction
from ltr.train_settings.tomp import _common, tomp50
from tests.distilling.conftest import make_batch as any_batch

TOMP = RECIPES['cmd_tomp']
TRAINED = [name for name, row in TOMP.items() if row.components]
REFERENCE = ('head.foreground.', 'head.box_encoder.')
TEST = ('head.features.', 'head.test_embedding.', 'head.transformer.', 'head.filters.', 'head.regressor.')
EXPECTED = {'d1': TEST, 'd2': REFERENCE, **dict.fromkeys(('d3', 'd4', 'd5', 'control'), REFERENCE + TEST)}
SILENT = ('self_attention.in_proj', )
"""A query that looks at itself alone: queries and keys have no gradient."""


def net_of(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return tompnet_small(channels=16, heads=2, encoder_layers=1, decoder_layers=1, feedforward=32, tower_layers=1)


def make_batch(seed: int = 0) -> dict[str, torch.Tensor]:
    batch = any_batch(seed=seed)
    return {**batch, 'test_label': gaussian_label_function(batch['test_anno'], 0.1, 1, 9, 144)}


def actor_of(row: str, **changes) -> CrossModalActor:
    student = net_of()
    return CrossModalActor(student, copy.deepcopy(student), dataclasses.replace(TOMP[row], **changes))


def train(actor: CrossModalActor, rate: float, steps: int) -> list[float]:
    optimizer = MasterAdam([{'params': list(group.values()), 'lr': rate}
                            for group in actor.recipe.trained(actor.net).values()])
    losses = []
    for step in range(steps):
        actor.train(True)
        loss, _ = actor(make_batch(seed=step % 2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_rows():
    """Those that train scores and boxes together, from the parent, at the rate of rows that start there."""
    assert list(TOMP) == ['a1', 'd1', 'd2', 'd3', 'd4', 'd5', 'control']
    dimp = RECIPES['cmd_dimp']
    for name in TRAINED:
        ours = dataclasses.replace(TOMP[name], tracker='cmd_dimp', components=('tcl',), lr={'tcl': 1.0})
        assert ours == dataclasses.replace(dimp[name], components=('tcl',), lr={'tcl': 1.0}, init=())
        assert TOMP[name].components == ('joint',) and TOMP[name].lr == {'joint': 1e-6}


@pytest.mark.parametrize('row', ['d1', 'd2', 'd3'])
def test_exactly_the_branch_changes_and_the_teacher_never(row):
    actor = actor_of(row)
    before, teacher = ({key: value.clone() for key, value in net.state_dict().items()}
                       for net in (actor.net, actor.teacher))
    train(actor, 1e-3, 3)
    after = actor.net.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {key for key, _ in actor.net.named_parameters() if key.startswith(EXPECTED[row])}
    assert all(torch.equal(value, actor.teacher.state_dict()[key]) for key, value in teacher.items())
    assert all(p.grad is None for p in actor.teacher.parameters())


def test_the_two_branches_are_the_head():
    assert {key for key, _ in net_of().named_parameters() if not key.startswith('feature_extractor.')} == {
        key for key, _ in net_of().named_parameters() if key.startswith(REFERENCE + TEST)}
    assert tuple(f'{name}.' for name in Joint.reference + Joint.test) == REFERENCE + TEST


@pytest.mark.parametrize(('row', 'mix'), [*((row, 'batch') for row in ('d1', 'd2', 'd3')), ('d3', 'spatial')])
def test_gradient_reaches_every_listed_tensor_and_no_other(row, mix):
    actor = actor_of(row, mix=mix)
    loss, stats = actor(make_batch())
    loss.backward()
    for name, parameter in actor.net.named_parameters():
        reached = parameter.grad is not None and bool(parameter.grad.any())
        assert reached == name.startswith(EXPECTED[row]) or 'self_attention' in name, name
    assert stats['Loss/joint'] == pytest.approx(stats['Loss/tcl'] + stats['Loss/bbe'], rel=1e-5)


def test_a_few_steps_lower_the_loss():
    """By a quarter in ten steps, over two batches by turns."""
    losses = train(actor_of('d3'), 3e-3, 10)
    assert sum(losses[-2:]) < 0.75 * sum(losses[:2])


@pytest.mark.parametrize('name', ['d1', 'd2', 'd3'])
def test_the_teacher_decides_the_loss(name):
    actor, disturbed = actor_of(name), actor_of(name)
    for key, weight in disturbed.teacher.named_parameters():
        if key.startswith('head'):
            weight.data.add_(0.1 * torch.randn_like(weight))
    assert actor(make_batch())[0].item() != disturbed(make_batch())[0].item()


@pytest.mark.parametrize('row', ['d2', 'd3'])
def test_where_both_modalities_are_alike_the_loss_is_the_tracker_s_own(row):
    """Student = teacher and TIR = RGB: what is left is ToMP's training loss with one reference frame."""
    batch = make_batch()
    for key in ('train_images', 'test_images'):
        batch[key] = torch.cat((batch[key][:, :, :3],) * 2, dim=2)
    actor = _common.actor(net_of(), tomp50.RECIPE)
    actor.eval()
    with torch.no_grad():
        expected = actor({**batch, 'train_images': batch['train_images'][:, :, :3],
                          'test_images': batch['test_images'][:, :, :3]})[0].item()
    assert actor_of(row)(batch)[0].item() == pytest.approx(expected, rel=1e-4)


def prediction() -> Prediction:
    generator = torch.Generator().manual_seed(0)
    return Prediction(torch.randn(2, 9, 9, generator=generator), torch.rand(2, 4, 9, 9, generator=generator) + 0.05,
                      torch.full((2, 16), 0.5), torch.full((2, 16), 0.25))


@pytest.mark.parametrize(('kind', 'lambda_', 'mu', 'nu'), [('hinge', 1.0, 0.0, 0.0), ('squared', 1.0, 0.0, 0.0),
                                                           ('hinge', 3.0, 0.1, 0.2)])
def test_terms_of_the_loss(kind, lambda_, mu, nu):
    """100 (residual + mu ||phi||^2) + lambda (1 - GIoU + nu ||theta||^2), phi and theta the two filters."""
    found = prediction()
    data = {key: make_batch()[key][0] for key in ('test_label', 'test_anno')}
    terms = dataclasses.replace(TOMP['d3'], tcl_loss=kind, lambda_=lambda_, mu=mu, nu=nu)
    loss, parts = Joint().loss(found, None, data, terms)
    scores, label = found.scores, data['test_label']
    residual = scores - label if kind == 'squared' else torch.where(label < 0.05, scores.clamp(min=0), scores - label)
    giou = GIoULoss()(found.boxes, data['test_anno'], label).item()
    expected = 100 * (residual.square().mean().item() + mu * 16 * 0.25) + lambda_ * (giou + nu * 16 * 0.0625)
    assert loss.item() == parts['joint'] == pytest.approx(expected, rel=1e-5)
    assert parts['bbe'] == pytest.approx(giou + nu * 16 * 0.0625, rel=1e-5)


def test_a_crop_without_the_target_has_no_box_to_learn():
    boxes = prediction().boxes.requires_grad_(True)
    loss, _ = overlap_loss(boxes, torch.full((2, 4), 900.0), torch.zeros(2, 9, 9))
    loss.backward()
    assert loss == 0 and not boxes.grad.any()


def test_densities_are_refused():
    with pytest.raises(ValueError, match=r"tcl_loss must be one of \('hinge', 'squared'\), not 'kl'"):
        dataclasses.replace(TOMP['d3'], tcl_loss='kl')


def test_a_network_of_another_toolkit_is_told():
    with pytest.raises(UserError, match='DiMPnet is the ToMP of another toolkit: cmd_tomp distils the one of this'):
        Joint().encode_reference(dimpnet_small(), {}, torch.zeros(1, 4))
