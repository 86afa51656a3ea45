"""Who sees what: a truly frozen teacher, a student whose listed tensors and no others change."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from cmd_plugin.master import MasterAdam
from cmd_plugin.recipes import RECIPES
from tests.distilling.conftest import TRAINED, actor_of, make_batch

CLASSIFIER_PREDICTOR = ('classifier.filter_initializer.', 'classifier.filter_optimizer.')
BBE_REFERENCE = tuple(f'bb_regressor.{m}.' for m in ('conv3_1r', 'conv4_1r', 'fc3_1r', 'fc34_3r', 'fc34_4r'))
BBE_TEST = tuple(f'bb_regressor.{m}.' for m in ('conv3_1t', 'conv3_2t', 'conv4_1t', 'conv4_2t', 'fc3_rt', 'fc4_rt',
                                                'iou_predictor'))
EXPECTED = {'b1': BBE_REFERENCE, 'b2': BBE_TEST, 'c1': CLASSIFIER_PREDICTOR,
            'd3': (*BBE_REFERENCE, *BBE_TEST, *CLASSIFIER_PREDICTOR, 'classifier.feature_extractor.')}


def snapshot(net):
    return {key: value.clone() for key, value in net.state_dict().items()}


def train(actor, rate: float, steps: int) -> None:
    trained = actor.recipe.trained(actor.net)
    optimizer = MasterAdam([{'params': list(group.values()), 'lr': rate} for group in trained.values()])
    for step in range(steps):
        actor.train(True)
        loss, _ = actor(make_batch(seed=step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize('rate', [1e-3, 2e-8])
@pytest.mark.parametrize('name', TRAINED)
def test_exactly_the_listed_tensors_change(name, rate):
    actor = actor_of(name)
    before, teacher = snapshot(actor.net), snapshot(actor.teacher)
    # A weight of exactly 1 has neighbours 6e-8 and 1.2e-7 away: at 2e-8 it takes a few steps one way.
    train(actor, rate, steps=1 if rate > 1e-6 else 8)
    after = snapshot(actor.net)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    parameters = {key for key, _ in actor.net.named_parameters()}
    assert changed == {key for key in parameters if key.startswith(EXPECTED[name])}
    assert all(torch.equal(value, actor.teacher.state_dict()[key]) for key, value in teacher.items())


def test_plain_adam_in_float32_would_lose_the_steps():
    """The reason for `MasterAdam`: if this fails, it can go."""
    actor = actor_of('c1')
    weight = actor.net.classifier.filter_optimizer.spatial_weight_predictor.weight
    optimizer = torch.optim.Adam(actor.recipe.trained(actor.net)['tcl'].values(), lr=2e-8)
    before = weight.detach().clone()
    for step in range(8):
        loss, _ = actor(make_batch(seed=step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert torch.equal(before, weight)


@pytest.mark.parametrize('name', TRAINED)
def test_teacher_decides_loss_and_gradients(name, batch):
    def gradients(actor):
        loss, _ = actor(batch)
        loss.backward()
        return loss.item(), [p.grad.clone() for p in actor.net.parameters() if p.grad is not None]

    loss, plain = gradients(actor_of(name))
    actor = actor_of(name)
    for key, weight in actor.teacher.named_parameters():
        if key.startswith(('bb_regressor', 'classifier')):
            weight.data.add_(0.1 * torch.randn_like(weight))  # not a factor: the instance norm would undo it
    disturbed_loss, disturbed = gradients(actor)
    assert loss != disturbed_loss
    assert any(not torch.allclose(a, b) for a, b in zip(plain, disturbed, strict=True))
    assert all(p.grad is None for p in actor.teacher.parameters())


@pytest.mark.parametrize('mix', ['batch', 'spatial'])
def test_no_rgb_reaches_a_student_weight_and_no_tir_the_teacher(mix, batch):
    """RGB images are all 1, TIR images all 2: backbone inputs tell who was fed what."""
    actor = actor_of(dataclasses.replace(RECIPES['d3'], mix=mix))
    for key in ('train_images', 'test_images'):
        batch[key] = torch.cat((torch.full_like(batch[key][:, :, :3], 1), torch.full_like(batch[key][:, :, 3:], 2)), 2)
    seen: dict[str, set[float]] = {'student': set(), 'teacher': set()}
    for name, net in (('student', actor.net), ('teacher', actor.teacher)):
        net.feature_extractor.conv1.register_forward_hook(
            lambda module, args, out, name=name: seen[name].update(args[0].unique().tolist()))
    actor(batch)
    assert seen == {'student': {2.0}, 'teacher': {1.0}}


@pytest.mark.parametrize(('name', 'mix'), [*((name, 'batch') for name in TRAINED), ('d3', 'spatial')])
def test_first_layers_of_every_branch_read_only_their_modality(name, mix, batch):
    """Heads included: the first layers after the backbone see features of their own network's images alone."""
    actor = actor_of(dataclasses.replace(RECIPES[name], mix=mix))
    made, read = {}, []
    for label, net in (('student', actor.net), ('teacher', actor.teacher)):
        def mark(module, args, out, label=label):
            made.update({feature.untyped_storage().data_ptr(): (label, feature) for feature in out.values()})
        net.feature_extractor.register_forward_hook(mark)
        for part in (net.classifier.feature_extractor, *(getattr(net.bb_regressor, m) for m in
                                                         ('conv3_1r', 'conv4_1r', 'conv3_1t', 'conv4_1t'))):
            def check(module, args, label=label):
                owner, _ = made.get(args[0].untyped_storage().data_ptr(), ('nobody', None))
                read.append((label, owner))
            part.register_forward_pre_hook(check)
    actor(batch)
    assert read and all(reader == owner for reader, owner in read)


def test_statistics_of_the_student_never_move(batch):
    actor = actor_of('d3')
    actor.train(True)
    assert not any(module.training for net in (actor.net, actor.teacher) for module in net.modules())


@pytest.mark.parametrize('mix', ['batch', 'spatial'])
def test_both_mixes_train_both_branches(mix, batch):
    actor = actor_of(dataclasses.replace(RECIPES['d3'], mix=mix))
    loss, stats = actor(batch)
    loss.backward()
    assert stats['Loss/total'] == pytest.approx(stats['Loss/tcl'] + stats['Loss/bbe'], rel=1e-5)
    listed = [p for group in actor.recipe.trained(actor.net).values() for p in group.values()]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in listed)


def test_batch_mix_is_the_mean_of_the_two_directions(batch):
    """Rows 0-4 and rows 5-9 of the paper's mini-batch, each direction by itself."""
    both = actor_of('d3')(batch)[0].item()
    directions = [actor_of(dataclasses.replace(RECIPES['d3'], student=student))(batch)[0].item()
                  for student in ('reference', 'test')]
    assert both == pytest.approx(sum(directions) / 2, rel=1e-5)


def test_shared_teacher_is_the_student(batch):
    actor = actor_of(dataclasses.replace(RECIPES['d3'], teacher='shared'))
    assert actor.teacher is actor.net
    loss, _ = actor(batch)
    loss.backward()
    trained = actor.recipe.trained(actor.net)
    assert all(p.grad is not None for group in trained.values() for p in group.values())
