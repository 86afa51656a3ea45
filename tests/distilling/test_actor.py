"""Who sees what: a truly frozen teacher, a student whose listed tensors and no others change."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from cmd_plugin.actor import CrossModalActor
from cmd_plugin.master import MasterAdam
from cmd_plugin.recipes import RECIPES
from tests.distilling.conftest import DIMP_TRAINED, TRAINED, actor_of, make_batch, small_net

D3 = RECIPES['cmd_dimp']['d3']
CLASSIFIER_PREDICTOR = ('classifier.filter_initializer.', 'classifier.filter_optimizer.')
BBE_REFERENCE = tuple(f'bb_regressor.{m}.' for m in ('conv3_1r', 'conv4_1r', 'fc3_1r', 'fc34_3r', 'fc34_4r'))
BBE_TEST = tuple(f'bb_regressor.{m}.' for m in ('conv3_1t', 'conv3_2t', 'conv4_1t', 'conv4_2t', 'fc3_rt', 'fc4_rt',
                                                'iou_predictor'))
CLASSIFIER_FEATURES = ('classifier.feature_extractor.',)
BBE_BOTH, TCL_BOTH = BBE_REFERENCE + BBE_TEST, CLASSIFIER_PREDICTOR + CLASSIFIER_FEATURES
DIMPS = ('cmd_dimp', 'cmd_prdimp', 'cmd_super_dimp', 'cmd_kys')
EXPECTED = {
    **{(tracker, name): modules for tracker in DIMPS for name, modules in {
        'b1': BBE_REFERENCE, 'b2': BBE_TEST, 'c1': CLASSIFIER_PREDICTOR, 'd1': BBE_TEST + CLASSIFIER_FEATURES,
        'd2': BBE_REFERENCE + CLASSIFIER_PREDICTOR, **dict.fromkeys(('d3', 'd4', 'd5', 'control'),
                                                                    BBE_BOTH + TCL_BOTH)}.items()},
    ('cmd_atom', 'b1'): BBE_REFERENCE, ('cmd_atom', 'b2'): BBE_TEST, ('cmd_atom', 'control'): BBE_BOTH,
}


# The other trackers train the same modules as cmd_dimp; one row a component and all at once will do here.
TRIED = [row for row in TRAINED if row[0] in ('cmd_dimp', 'cmd_atom') or row[1] in ('b2', 'c1', 'd3')]


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
@pytest.mark.parametrize('row', TRIED, ids=' '.join)
def test_exactly_the_listed_tensors_change(row, rate):
    actor = actor_of(row[1], tracker=row[0])
    before, teacher = snapshot(actor.net), snapshot(actor.teacher)
    # A weight of exactly 1 has neighbours 6e-8 and 1.2e-7 away: at 2e-8 it takes a few steps one way.
    train(actor, rate, steps=3 if rate > 1e-6 else 8)
    after = snapshot(actor.net)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    parameters = {key for key, _ in actor.net.named_parameters()}
    expected = {key for key in parameters if key.startswith(EXPECTED[row])}
    assert changed == expected
    assert {prefix for prefix in EXPECTED[row] if any(key.startswith(prefix) for key in changed)} == set(EXPECTED[row])
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


@pytest.mark.parametrize('name', DIMP_TRAINED)
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


@pytest.mark.parametrize(('name', 'mix'), [*((name, 'batch') for name in DIMP_TRAINED), ('d3', 'spatial')])
def test_no_rgb_reaches_a_student_weight_and_no_tir_the_teacher(name, mix, batch):
    """RGB images are all 1, TIR images all 2: what the first layers after the backbone read tells who was fed what."""
    actor = actor_of(dataclasses.replace(RECIPES['cmd_dimp'][name], mix=mix))
    for key in ('train_images', 'test_images'):
        batch[key] = torch.cat((torch.full_like(batch[key][:, :, :3], 1), torch.full_like(batch[key][:, :, 3:], 2)), 2)
    maps = {value: actor.net.extract_backbone_features(torch.full((1, 3, 144, 144), float(value))) for value in (1, 2)}
    seen: dict[str, set[int]] = {'student': set(), 'teacher': set()}
    for label, net in (('student', actor.net), ('teacher', actor.teacher)):
        for part in (net.classifier.feature_extractor, *(getattr(net.bb_regressor, m) for m in
                                                         ('conv3_1r', 'conv4_1r', 'conv3_1t', 'conv4_1t'))):
            def note(module, args, label=label):
                near = {value: min((args[0] - feature).abs().max().item() for feature in layers.values()
                                   if feature.shape[1:] == args[0].shape[1:]) for value, layers in maps.items()}
                assert min(near.values()) < 1e-3 < 1e-2 < max(near.values())
                seen[label].add(min(near, key=near.__getitem__))
            part.register_forward_pre_hook(note)
    actor(batch)
    assert seen == {'student': {2}, 'teacher': {1}}


IMAGES = {'reference': 2, 'test': 2, 'both': 4}


@pytest.mark.parametrize('row', TRAINED, ids=' '.join)
def test_one_frozen_backbone_sees_what_is_read_once(row, batch):
    """Both modalities and branches, without gradient; a student in one branch reads half of the images."""
    actor = actor_of(row[1], tracker=row[0])
    assert actor.teacher.feature_extractor is actor.net.feature_extractor
    passes = []
    actor.net.feature_extractor.register_forward_hook(
        lambda module, args, out: passes.append((len(args[0]), any(f.requires_grad for f in out.values()))))
    actor(batch)
    pairs = batch['train_anno'].shape[1]
    assert sum(images for images, _ in passes) == IMAGES[actor.recipe.student] * pairs
    assert not any(graph for _, graph in passes)


@pytest.mark.parametrize('name', DIMP_TRAINED)
def test_every_part_runs_once_for_each_image_it_must_see(name, batch):
    """Nothing is computed twice: a head of either network runs at most once a branch."""
    actor = actor_of(name)
    runs: dict[str, int] = {}
    for label, net in (('student', actor.net), ('teacher', actor.teacher)):
        for part in ('bb_regressor.conv3_1r', 'bb_regressor.conv3_1t', 'classifier.filter_optimizer'):
            net.get_submodule(part).register_forward_hook(
                lambda module, args, out, key=f'{label} {part}': runs.update({key: runs.get(key, 0) + 1}))
    actor(batch)
    assert set(runs.values()) == {1}


def test_networks_of_two_backbones_are_refused():
    with pytest.raises(ValueError, match='the same backbone'):
        CrossModalActor(small_net(0), small_net(1), D3)


def test_statistics_of_the_student_never_move(batch):
    actor = actor_of('d3')
    actor.train(True)
    assert not any(module.training for net in (actor.net, actor.teacher) for module in net.modules())


@pytest.mark.parametrize('mix', ['batch', 'spatial'])
def test_both_mixes_train_both_branches(mix, batch):
    actor = actor_of(dataclasses.replace(D3, mix=mix))
    loss, stats = actor(batch)
    loss.backward()
    assert stats['Loss/total'] == pytest.approx(stats['Loss/tcl'] + stats['Loss/bbe'], rel=1e-5)
    listed = [p for group in actor.recipe.trained(actor.net).values() for p in group.values()]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in listed)


def test_batch_mix_is_the_mean_of_the_two_directions(batch):
    """Rows 0-4 and rows 5-9 of the paper's mini-batch, each direction by itself."""
    both = actor_of('d3')(batch)[0].item()
    directions = [actor_of(dataclasses.replace(D3, student=student))(batch)[0].item()
                  for student in ('reference', 'test')]
    assert both == pytest.approx(sum(directions) / 2, rel=1e-5)


@pytest.mark.parametrize('weight', [0.0, 2.5])
def test_lambda_weighs_bbe_beside_tcl(weight, batch):
    loss, stats = actor_of(dataclasses.replace(D3, lambda_=weight))(batch)
    assert loss.item() == pytest.approx(stats['Loss/tcl'] + weight * stats['Loss/bbe'], rel=1e-5)


@pytest.mark.parametrize(('field', 'component'), [('mu', 'tcl'), ('nu', 'bbe')])
def test_norms_of_the_codes_are_added_and_pull_on_their_weights(field, component, batch):
    """Eq. 2 and 3: mu || phi ||^2 of the filters, nu || theta ||^2 of the modulation vectors."""
    name = {'tcl': 'c1', 'bbe': 'b1'}[component]
    plain, weighted = actor_of(name), actor_of(dataclasses.replace(RECIPES['cmd_dimp'][name], **{field: 0.5}))
    codes = []
    described = weighted.recipe.component(component)
    losses = []
    for actor in (plain, weighted):
        loss, stats = actor(batch)
        loss.backward()
        losses.append((loss.item(), stats[f'Loss/{component}']))
    _, tir = weighted._features({'reference': batch['train_images'][0], 'test': batch['test_images'][0]})
    codes = described.encode_reference(weighted.net, tir['reference'], batch['train_anno'][0])
    norms = [code.square().sum((1, 2, 3)).mean().item() for code in codes]
    between = sum(norms[1:-1]) / max(len(norms[1:-1]), 1)
    expected = 0.5 * (sum(norms) if component == 'bbe' else 100 * norms[-1] + 100 * norms[0] + 400 * between)
    assert losses[1][0] - losses[0][0] == pytest.approx(expected, rel=1e-3)
    gradients = [[p.grad for p in actor.recipe.trained(actor.net)[component].values()] for actor in (plain, weighted)]
    assert any(not torch.allclose(a, b) for a, b in zip(*gradients, strict=True))


def test_squared_tcl_is_never_below_the_hinge(batch):
    """On background the hinge forgives negative scores, the plain form of Eq. 2 does not."""
    hinge, squared = (actor_of(dataclasses.replace(D3, tcl_loss=kind))(batch)[1]['Loss/tcl']
                      for kind in ('hinge', 'squared'))
    assert squared > hinge


def test_shared_teacher_is_the_student(batch):
    actor = actor_of(dataclasses.replace(D3, teacher='shared'))
    assert actor.teacher is actor.net
    loss, _ = actor(batch)
    loss.backward()
    trained = actor.recipe.trained(actor.net)
    assert all(p.grad is not None for group in trained.values() for p in group.values())
