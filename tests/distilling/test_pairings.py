"""Beyond the paper's rows: which modalities meet, and a backbone of the student's that learns."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from cmd_plugin import training
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES
from ltr.admin.settings import Settings
from tests.distilling.conftest import actor_of, make_batch, small_net
from tests.distilling.test_actor import snapshot, train

D3 = RECIPES['cmd_dimp']['d3']
OPENED = dataclasses.replace(D3, opened=('layer3',), lr={**D3.lr, 'backbone': 1e-5})


def pairing(name: str) -> CMDRecipe:
    return dataclasses.replace(D3, pairing=name)


def test_all_is_the_mean_of_its_rows(batch):
    """Two crossed rows and one of thermal images alone."""
    crossed, thermal, everything = (actor_of(pairing(name))(batch)[0] for name in ('crossed', 'thermal', 'all'))
    assert everything.item() == pytest.approx((2 * crossed.item() + thermal.item()) / 3, rel=1e-5)
    assert abs(crossed.item() / thermal.item() - 1) > 1e-3


@pytest.mark.parametrize('opened', [D3, OPENED], ids=['frozen', 'opened'])
def test_thermal_reads_no_rgb_and_asks_no_teacher(opened, batch):
    recipe = dataclasses.replace(opened, pairing='thermal')
    actor = actor_of(recipe)
    loss = actor(batch)[0].item()
    for key in ('train_images', 'test_images'):
        batch[key][:, :, :3] = float('nan')
    for weight in actor.teacher.classifier.parameters():
        weight.data.fill_(float('nan'))
    assert actor(batch)[0].item() == loss


def test_a_shared_teacher_with_thermal_images_in_both_places_is_the_same(batch):
    """Another way to the same loss: thermal images in the place of the RGB ones, one set of weights."""
    loss = actor_of(pairing('thermal'))(batch)[0].item()
    for key in ('train_images', 'test_images'):
        batch[key][:, :, :3] = batch[key][:, :, 3:]
    assert actor_of(dataclasses.replace(D3, teacher='shared'))(batch)[0].item() == pytest.approx(loss, rel=1e-5)


def test_an_opened_layer_learns_and_the_teachers_stays(batch):
    actor = actor_of(OPENED)
    before, teacher = snapshot(actor.net), snapshot(actor.teacher)
    train(actor, 1e-3, steps=2)
    changed = {key for key, value in actor.net.state_dict().items() if not torch.equal(value, before[key])}
    assert {key.split('.')[1] for key in changed if key.startswith('feature_extractor')} == {'layer3'}
    assert {key for key in changed if key.startswith('feature_extractor')} == {
        key for key, _ in actor.net.named_parameters() if key.startswith('feature_extractor.layer3')}
    assert all(torch.equal(value, actor.teacher.state_dict()[key]) for key, value in teacher.items())
    assert any(key.startswith('bb_regressor') for key in changed)


def test_opened_layers_that_have_not_learned_yet_change_nothing(batch):
    assert actor_of(OPENED)(batch)[0].item() == pytest.approx(actor_of(D3)(batch)[0].item(), rel=1e-5)


def test_the_gradient_of_an_opened_layer_is_that_of_the_loss():
    """Central differences along the gradient itself."""
    actor = actor_of(OPENED)
    actor.net.double()
    actor.teacher.double()
    actor._backbone = lambda net, images: net.extract_backbone_features(images)
    batch = {key: value.double() for key, value in make_batch().items()}
    weight = actor.net.feature_extractor.layer3[0].conv2.weight
    actor(batch)[0].backward()
    step = 1e-6 * weight.grad / weight.grad.norm()
    losses = []
    for sign in (1, -1):
        weight.data.add_(sign * step)
        losses.append(actor(batch)[0].item())
        weight.data.sub_(sign * step)
    assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(weight.grad.norm().item(), rel=1e-3)


RESPONSE = dataclasses.replace(D3, target='teacher', pairing='thermal')


@pytest.mark.parametrize('recipe', [RESPONSE, dataclasses.replace(RESPONSE, pairing='all')], ids=['thermal', 'all'])
def test_an_untrained_student_answers_rgb_as_the_teacher_does(recipe, batch):
    """So the control of such a row stays the parent."""
    for key in ('train_images', 'test_images'):
        batch[key][:, :, 3:] = batch[key][:, :, :3]
    actor = actor_of(recipe)
    loss = actor(batch)[0]
    loss.backward()
    assert loss.item() == 0
    assert not any(weight.grad.any() for weight in actor.net.parameters() if weight.grad is not None)


def test_the_answer_is_that_of_rgb_in_both_branches(batch):
    """By hand, for BBE: squared difference of predicted overlaps."""
    actor = actor_of(dataclasses.replace(RESPONSE, components=('bbe',), lr={'bbe': 1e-4}))
    found = []
    for start in (3, 0):
        features = [actor.net.extract_backbone_features(batch[key][0, :, start:start + 3])
                    for key in ('train_images', 'test_images')]
        reference, test = (actor.net.get_backbone_bbreg_feat(one) for one in features)
        modulation = actor.net.bb_regressor.get_modulation(reference, batch['train_anno'][0])
        found.append(actor.net.bb_regressor.predict_iou(modulation, actor.net.bb_regressor.get_iou_feat(test),
                                                        batch['test_proposals'][0]))
    loss, parts = actor(batch)
    assert loss.item() == pytest.approx((found[0] - found[1]).square().mean().item(), rel=1e-4)
    assert set(parts) == {'Loss/total', 'Loss/bbe_response'}


def test_no_pseudo_label_reaches_a_student_that_the_teacher_answers(batch):
    loss = actor_of(RESPONSE)(batch)[0].item()
    batch['test_label'], batch['proposal_iou'] = batch['test_label'] * 0, batch['proposal_iou'] * 0
    assert actor_of(RESPONSE)(batch)[0].item() == loss


@pytest.mark.parametrize(('changes', 'message'), [
    ({'pairing': 'mixed'}, 'pairing must be one of'),
    ({'pairing': 'all', 'mix': 'spatial'}, 'needs mix batch'),
    ({'pairing': 'thermal', 'student': 'test'}, 'and student both'),
    ({'opened': ('layer3',)}, 'needs a rate'),
    ({'target': 'label'}, 'target must be one of'),
    ({'target': 'teacher', 'mix': 'spatial'}, 'no spatial mix'),
    ({'lr': {**D3.lr, 'backbone': 1e-5}}, 'needs a rate'),
])
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(D3, **changes)


@pytest.mark.usefixtures('no_settings', 'workspace')
@pytest.mark.parametrize('opened', [False, True])
def test_a_run_trains_opened_layers(world_pairs, opened):
    recipe = dataclasses.replace(OPENED if opened else D3, epochs=1, samples=4, batch=2)
    recipe = dataclasses.replace(recipe, lr=dict.fromkeys(recipe.lr, 1e-3))
    settings = Settings()
    settings.data, settings.workers, settings.device = [world_pairs], 0, 'cpu'
    student = small_net()
    parent = copy.deepcopy(student)
    training.train(settings, recipe, student, parent)
    before = parent.state_dict()
    changed = {key.split('.')[1] for key, value in student.state_dict().items()
               if key.startswith('feature_extractor') and not torch.equal(before[key], value)}
    assert changed == ({'layer3'} if opened else set())
