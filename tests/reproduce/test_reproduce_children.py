"""Stored features, children and controls, resume."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from cmd_plugin import checkpoints
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.data.processing import cross_modal_processing, split
from cmd_plugin.data.pseudo_boxes import make_pseudo_box
from cmd_plugin.data.sampler import PairedSampler
from cmd_plugin.data.varied import VariedThermal, vary
from cmd_plugin.data.visible_twice import VisibleTwice
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce import children, choice, sources
from cmd_plugin.reproduce import parent as parents
from cmd_plugin.reproduce import store as stores
from cmd_plugin.reproduce.pairs import divide_pairs
from cmd_plugin.reproduce.rows import STEMS, VARIANTS, row_named, row_of
from cmd_plugin.reproduce.store import SEED, Store, StoredPairs, Views, make_store
from cmd_plugin.training import as_seen
from ltr.admin.seeding import drawing
from ltr.data.loader import LTRLoader, collate
from ltr.trainers import LTRTrainer


@pytest.fixture
def stored(parent, data, size):
    net, _ = checkpoints.load(parent.parent)
    make_store(parent.store('center_area'), [net, net], views(data, size), torch.device('cpu'))
    return parent


def views(data, size):
    return Views(divide_pairs(data.root / 'pairs')[0], 'center_area', None, size)


def fresh(data, size, number):
    """A sample as the store made it, with its images."""
    pairs, _ = divide_pairs(data.root / 'pairs')
    sampler = PairedSampler(pairs, make_pseudo_box('center_area'), 9, cross_modal_processing(
        size.crop, size.cells, label_sigma=size.label_sigma))
    with drawing(SEED + number):
        return sampler[number]


def at(store, place, reads=(0, 1)):
    """The sample at a place."""
    pairs = StoredPairs(store, 1, reads)
    seed = next(seed for seed in range(100) if np.random.RandomState(seed).randint(len(store)) == place)
    np.random.seed(seed)
    return pairs[0]


@pytest.mark.parametrize('row', ['d3', 'tcl_shared', 'd3_spatial', 'tcl_thermal', 'd3_all', 'd3_opened'])
def test_a_loss_from_the_store_is_that_of_the_pictures(stored, data, size, row):
    """Half precision costs three digits; a crop in the wrong place, or a modality, would cost all."""
    losses = []
    for _ in ('pictures', 'store', 'store of the control'):
        student, _ = checkpoints.load(stored.parent)
        actor = CrossModalActor(student, copy.deepcopy(student), row_of(row, 1e-4).recipe)
        if losses:
            store = Store(stored.store('center_area'))
            for net in (student, actor.teacher):
                store.attach(net, bool(actor.recipe.opened) and net is student)
            sample = at(store, 1, reads=row_of(row, 1e-4, thermal=len(losses) == 1).reads)
        else:
            sample = fresh(data, size, 1)
        losses.append(actor(collate([sample, sample], stack_dim=1))[0].item())
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
    assert abs(losses[2] / losses[0] - 1) > 5e-3, 'the control sees RGB in the place of the thermal image'


def test_the_control_is_the_row_on_rgb(size):
    trained = [name for name in STEMS if name != 'b3']
    for row in (*trained, *(f'd3_{change}' for change in VARIANTS)):
        same = row_of(row, 1e-5).samples == row_of(row, 1e-5, thermal=False).samples
        assert same is not row_of(row, 1e-5).recipe.varied, 'varied RGB crops are samples of their own'
        child, control = row_of(row, 1e-5).recipe, row_of(row, 1e-5, thermal=False).recipe
        assert child.thermal and not control.thermal and child.init == () and child.components
        assert {**vars(child), 'thermal': None} == {**vars(control), 'thermal': None}
        small = pytest.approx(1e-6)
        assert child.lr == {part: {'tcl': 1e-5, 'bbe': small if 'tcl' in child.lr and child.pseudo_box != 'detection'
                                   else 1e-5, 'backbone': small}[part] for part in child.lr}
        assert set(child.lr) == {*child.components, *(['backbone'] if row == 'd3_opened' else [])}
    with pytest.raises(UserError, match='unknown row'):
        row_of('d9', 1e-5)


def weights(path):
    return checkpoints.load(path)[0].state_dict()


def test_a_child_learns_only_what_its_row_trains_and_seeds_differ(stored, size):
    [one] = children.train(stored, size, row_of('c1', 1e-3), [2], 0, 'a', 'cpu')
    [other] = children.train(stored, size, row_of('c1', 1e-3), [2], 1, 'b', 'cpu')
    before, after, again = weights(stored.parent), weights(one), weights(other)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed and all(key.startswith(('classifier.filter_initializer', 'classifier.filter_optimizer'))
                           for key in changed)
    assert any(not torch.equal(after[key], again[key]) for key in changed)
    info = checkpoints.load(one)[1]['net_info']
    assert (info['recipe'], info['steps'], info['seed'], info['crop_size']) == ('c1', 2, 0, size.crop)
    assert not list((stored.scratch / 'checkpoints').rglob('*.tar')), 'checkpoints of a finished training are gone'


@pytest.mark.parametrize('thermal', [True, False])
def test_b3_has_the_branches_of_b1_and_b2(stored, size, thermal):
    made = children.train(stored, size, row_of('b3', 1e-3, thermal), [1, 2], 0, 'a', 'cpu')
    halves = [children.train(stored, size, row_of(name, 1e-3, thermal), [1, 2], 0, name, 'cpu')
              for name in ('b1', 'b2')]
    before = weights(stored.parent)
    for path, *files in zip(made, *halves, strict=True):
        one, two = map(weights, files)
        for key, value in weights(path).items():
            assert torch.equal(value, one[key] if torch.equal(two[key], before[key]) else two[key])
        assert all(any(not torch.equal(before[key], half[key]) for key in before) for half in (one, two))
    info = checkpoints.load(made[1])[1]['net_info']
    assert (info['recipe'], info['steps'], info['thermal'], dict(info['lr'])) == ('b3', 2, thermal, {'bbe': 1e-3})
    assert not list(stored.scratch.glob('a_b*')), 'the halves are gone'


def test_b3_that_is_killed_ends_with_the_same_weights(stored, size, monkeypatch):
    [straight] = children.train(stored, size, row_of('b3', 1e-3), [2], 0, 'a', 'cpu')
    for number in range(1, 4):
        with monkeypatch.context() as patched:
            calls, kept = iter(range(1, 9)), checkpoints.save
            patched.setattr(checkpoints, 'save', lambda *args, kept=kept, calls=calls, number=number:
                            kept(*args) if next(calls) != number else pytest.fail('killed'))
            with pytest.raises(pytest.fail.Exception):
                children.train(stored, size, row_of('b3', 1e-3), [2], 0, f'b{number}', 'cpu')
        [again] = children.train(stored, size, row_of('b3', 1e-3), [2], 0, f'b{number}', 'cpu')
        wanted, found = weights(straight), weights(again)
        assert all(torch.equal(value, found[key]) for key, value in wanted.items())


def test_what_is_done_to_b3_is_done_to_its_halves():
    row = row_of('b3_boxes_varied', 1e-4, thermal=False)
    assert [half.recipe.name for half in row.halves] == ['b1_boxes_varied', 'b2_boxes_varied']
    for one in (row, *row.halves):
        assert one.samples == 'detection_varied_visible' and not one.recipe.thermal
    assert all(half.recipe.lr == {'bbe': 1e-4} and half.recipe.init == () for half in row.halves)


@pytest.mark.parametrize(('steps', 'piece', 'expected'), [((6,), 2, [3, 2, 1]), ((2, 4), 1, [4, 3, 2, 1]),
                                                          ((5,), 5, [1])])
def test_the_rate_falls_by_equal_parts(size, steps, piece, expected):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = children.falling(optimizer, replace(size, steps=steps, piece=piece))
    rates = []
    for _ in range(steps[-1] // piece):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([part / len(expected) for part in expected])


def test_an_opened_child_learns_its_layer_and_its_control_too(stored, size):
    before = weights(stored.parent)
    for thermal in (True, False):
        [made] = children.train(stored, size, row_of('tcl_thermal_opened', 1e-2, thermal), [2], 0, 'a', 'cpu')
        changed = {key for key, value in weights(made).items() if not torch.equal(before[key], value)}
        assert {name.split('.')[1] for name in changed if name.startswith('feature_extractor')} == {'layer3'}
        assert any(name.startswith('classifier') for name in changed)
        assert not any(name.startswith('bb_regressor') for name in changed)


@pytest.mark.parametrize('row', ['d3_response', 'd3_thermal_response_opened'])
def test_the_control_of_a_response_is_the_parent(stored, size, row):
    before = weights(stored.parent)
    for thermal in (True, False):
        [made] = children.train(stored, size, row_of(row, 1e-2, thermal), [2], 0, f'{thermal}', 'cpu')
        changed = [key for key, value in weights(made).items() if not torch.equal(before[key], value)]
        assert bool(changed) is thermal


@pytest.mark.parametrize('name', ['d9', 'd3_', 'd3_shared_shared', 'd3_better', 'b1_spatial', 'c1_all',
                                  'd3_opened_content', 'b3_opened'])
def test_rows_that_there_are_not(name):
    with pytest.raises(UserError, match=f'row .*{name}') as caught:
        row_named(name)
    assert '\n' not in str(caught.value)


def test_b3_is_refused_as_its_halves_are():
    with pytest.raises(UserError, match="no row 'b1_thermal'"):
        row_named('b3_thermal')


def test_changes_add_up_in_any_order():
    one, other = row_named('bbe_boxes_thermal_varied'), row_named('bbe_varied_thermal_boxes')
    assert {**vars(one.recipe), 'name': '', 'summary': ''} == {**vars(other.recipe), 'name': '', 'summary': ''}
    assert one.samples == other.samples == 'detection_varied' and one.recipe.pairing == 'thermal'
    assert {**vars(row_named('d3_boxes').recipe), 'name': '', 'summary': ''} == {
        **vars(row_named('d5').recipe), 'name': '', 'summary': ''}


@pytest.mark.parametrize('moment', ['epoch', 'snapshot'])
def test_a_killed_training_ends_with_the_same_weights(stored, size, monkeypatch, moment):
    [straight] = children.train(stored, size, row_of('c1', 1e-3), [2], 0, 'a', 'cpu')
    target = (LTRTrainer, 'cycle_dataset') if moment == 'epoch' else (checkpoints, 'save')
    kept, calls = getattr(*target), []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return kept(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(*target, dies)
        with pytest.raises(KeyboardInterrupt):
            children.train(stored, size, row_of('c1', 1e-3), [1, 2], 0, 'b', 'cpu')
    first, second = children.train(stored, size, row_of('c1', 1e-3), [1, 2], 0, 'b', 'cpu')
    wanted, one, two = weights(straight), weights(first), weights(second)
    assert all(torch.equal(value, two[key]) for key, value in wanted.items())
    assert any(not torch.equal(value, two[key]) for key, value in one.items())


def test_a_store_that_was_not_finished_is_none(parent, data, size, monkeypatch):
    net, _ = checkpoints.load(parent.parent)
    monkeypatch.setattr(stores, 'replacing', lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_store(parent.store('center_area'), [net, net], views(data, size), torch.device('cpu'))
    assert not parent.store('center_area').exists()


def test_an_interrupted_candidate_is_scored_anew_and_leaves_no_network(stored, size, monkeypatch):
    seen = []

    def score_of(work, size, network, label, device):
        seen.append((label, weights(network)))
        if len(seen) == 2:
            raise KeyboardInterrupt
        return 40.0 + len(seen)

    monkeypatch.setattr(choice, 'score_of', score_of)
    with pytest.raises(KeyboardInterrupt):
        choice.score(stored, size, 'c1', 1e-4, 'cpu')
    assert not stored.candidate('c1', 1e-4).exists()
    choice.score(stored, size, 'c1', 1e-4, 'cpu')
    assert [label for label, _ in seen] == ['c1_0.0001_1', 'c1_0.0001_2'] * 2
    for before, after in zip(seen[:2], seen[2:], strict=True):
        assert all(torch.equal(value, after[1][key]) for key, value in before[1].items())
    assert not list(stored.scratch.rglob('*.pth.tar'))


def test_draws_of_the_loader_follow_the_seed(stored, size):
    store = Store(stored.store('center_area'))

    def numbers(seed):
        loader = LTRLoader('train', StoredPairs(store, 8, (0, 1)), batch_size=2, stack_dim=1)
        loader.generator = torch.Generator().manual_seed(seed)
        return torch.cat([batch['train_images'][0, :, 0, 0, 0] for batch in loader]).tolist()

    assert numbers(1) == numbers(1) != numbers(2)
    assert set(numbers(1)) <= {4 * place for place in range(len(store))}


@pytest.mark.slow
def test_an_epoch_of_the_parent_that_was_killed_before_its_figures_is_not_trained_again(data, work, size, monkeypatch):
    sources.detect(data, work)
    kept = parents.track
    with monkeypatch.context() as patched:
        patched.setattr(parents, 'track', lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            parents.epoch(data, work, size, 1, 'cpu', 0)
    [checkpoint] = (work.root / 'checkpoints' / 'parent').glob('*_ep0001.pth.tar')
    before = checkpoint.stat().st_mtime_ns
    parents.epoch(data, work, size, 1, 'cpu', 0)
    assert checkpoint.stat().st_mtime_ns == before and parents.track is kept
    [found] = parents.curve(work)
    assert set(found['success']) == {'bag', 'David'} and found['loss'] > 0
    parents.finish(work, size)
    trained, new = checkpoints.load(work.parent)[0].state_dict(), parents.new_parent(data, size).state_dict()
    moved = {key.partition('.')[0] for key in new if not torch.equal(trained[key], new[key])}
    assert moved == {'classifier', 'bb_regressor'}, 'the backbone is frozen, its norms included'


def test_what_an_earlier_stage_should_have_left_is_named(work, data, size):
    for look in (lambda: Store(work.store('center_area')), lambda: choice.choose(work, size),
                 lambda: parents.finish(work, size), lambda: choice.locked(work)):
        with pytest.raises(UserError, match='first') as caught:
            look()
        assert '\n' not in str(caught.value)


def test_unmatched_boxes_are_those_of_the_other_crop(stored):
    store = Store(stored.store('center_area'))
    for matched in (True, False):
        sample = StoredPairs(store, 1, (0, 1), matched)[0]
        assert torch.equal(sample['train_anno'], sample['test_anno']) is not matched
    assert row_named('d3_unmatched').samples == row_named('d3').samples != row_named('d3_varied').samples


def test_what_stands_where(stored):
    store = Store(stored.store('center_area'))

    def crops(row, thermal=True):
        sample = at(store, 1, row_of(row, 1e-4, thermal).reads)
        assert sample['train_images'].shape == sample['test_images'].shape == (1, 6, 1, 1)
        return [sample[f'{branch}_images'].flatten().tolist()[::3] for branch in ('train', 'test')]
    assert crops('tcl_shared') == [[4, 5], [6, 7]], 'reference RGB, thermal; test RGB, thermal'
    assert crops('tcl_shared', False) == crops('tcl_thermal', False) == [[4, 4], [6, 6]]
    assert crops('tcl_thermal') == [[4, 5], [6, 7]] and row_named('tcl_thermal').recipe.pairing == 'thermal'


def test_a_varied_control_sees_varied_rgb_and_no_thermal_image(data, size):
    pairs, _ = divide_pairs(data.root / 'pairs')
    child, control = row_of('d3_varied', 1e-4), row_of('d3_varied', 1e-4, thermal=False)
    assert (child.samples, control.samples) == ('center_area_varied', 'center_area_varied_visible')
    assert child.reads == control.reads == (0, 1)
    plain, varied = (list(Views(source, 'center_area', None, size)) for source in (
        VisibleTwice(pairs), as_seen(pairs, control.recipe)))
    for one, other in zip(plain, varied, strict=True):
        (rgb, twin), (same, changed) = split(one['train_images']), split(other['train_images'])
        assert torch.equal(rgb, twin) and torch.equal(rgb, same) and not torch.equal(same, changed)


def test_varied_thermal_images_keep_their_visible_half(data):
    pairs, _ = divide_pairs(data.root / 'pairs')
    varied = VariedThermal(pairs)
    drawn = []
    for seed in (1, 1, 2, 3):
        np.random.seed(seed)
        drawn.append(varied.read(0))
    assert (drawn[0] == drawn[1]).all() and (drawn[1] != drawn[2]).any()
    assert all((one[..., :3] == pairs.read(0)[..., :3]).all() and one.dtype == np.uint8 for one in drawn)
    means = [np.corrcoef(vary(pairs.read(0)[..., 3], np.random.default_rng(i)).ravel(),
                         pairs.read(0)[..., 3].ravel())[0, 1] for i in range(12)]
    assert min(means) < -0.5 and max(means) > 0.5, 'both polarities occur, and both still show the picture'
