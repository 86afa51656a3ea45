"""Recipes against Table 1 and the hyper-parameters of the paper, written out here."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from cmd_plugin import training
from cmd_plugin.errors import UserError
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES, distilled, listing, recipe_of, with_ancestors
from tests.distilling.conftest import ROWS, TRAINED, actor_of, make_batch

REFERENCE = {'bbe': 'conv3_1r conv4_1r fc3_1r fc34_3r fc34_4r', 'tcl': 'filter_initializer filter_optimizer',
             'joint': 'foreground box_encoder'}
TEST = {'bbe': 'conv3_1t conv3_2t conv4_1t conv4_2t fc3_rt fc4_rt iou_predictor', 'tcl': 'feature_extractor',
        'joint': 'features test_embedding transformer filters regressor'}
JOINT = (('bbe', 'tcl'), {'bbe': 1e-7, 'tcl': 2e-8}, ('b3', 'c1'))
TOMP = (('joint',), {'joint': 1e-6}, ())

# row: what updates, rates, start, student's branches, images of the reference branch, of the test branch, pseudo boxes
BBE_ROWS = {
    'a1': ((), {}, (), (), '-', '-', 'center_area'),
    'b1': (('bbe',), {'bbe': 1e-6}, (), ('reference',), 'TIR', 'RGB', 'center_area'),
    'b2': (('bbe',), {'bbe': 1e-6}, (), ('test',), 'RGB', 'TIR', 'center_area'),
    'b3': ((), {}, ('b1', 'b2'), (), '-', '-', 'center_area'),
}
BOTH = ('reference', 'test')
DIMPS = ('cmd_dimp', 'cmd_prdimp', 'cmd_super_dimp', 'cmd_kys')
TABLE_1 = {(tracker, name): row for tracker in DIMPS for name, row in {
    **BBE_ROWS,
    'c1': (('tcl',), {'tcl': 1e-6}, (), ('reference',), 'TIR', 'RGB', 'center_area'),
    'd1': (*JOINT, ('test',), 'RGB', 'TIR', 'center_area'),
    'd2': (*JOINT, ('reference',), 'TIR', 'RGB', 'center_area'),
    'd3': (*JOINT, BOTH, 'RGB+TIR', 'RGB+TIR', 'center_area'),
    'd4': (*JOINT, BOTH, 'RGB+TIR', 'RGB+TIR', 'random_sampling'),
    'd5': (*JOINT, BOTH, 'RGB+TIR', 'RGB+TIR', 'detection'),
}.items()} | {('cmd_atom', name): row for name, row in BBE_ROWS.items()}
TABLE_1 |= {('cmd_tomp', name): row if name == 'a1' else (*TOMP, *row[3:]) for (tracker, name), row in TABLE_1.items()
            if tracker == 'cmd_dimp' and name in ('a1', 'd1', 'd2', 'd3', 'd4', 'd5')}


@pytest.mark.parametrize('row', TABLE_1, ids=' '.join)
def test_row_of_table_1(row):
    components, rates, start, branches, _, _, boxes = TABLE_1[row]
    recipe = recipe_of(*row)
    assert (recipe.tracker, recipe.name) == row
    assert set(recipe.components) == set(components)
    assert dict(recipe.lr) == rates
    assert (recipe.init, recipe.pseudo_box) == (start, boxes)
    for component in recipe.family.components:
        parts = [part for branch, table in (('reference', REFERENCE), ('test', TEST)) if branch in branches
                 for part in table[component].split()]
        expected = parts if component in components else []
        assert sorted(module.split('.')[1] for module in recipe.modules(component)) == sorted(expected)


@pytest.mark.parametrize('row', [row for row in TRAINED if row[1] != 'control'], ids=' '.join)
def test_which_images_the_branches_read(row):
    """RGB images are all 1, TIR images all 2 (reference) or 11 and 12 (test): features of a head's input tell."""
    actor = actor_of(row[1], tracker=row[0])
    batch = make_batch()
    for key, offset in (('train_images', 0), ('test_images', 10)):
        batch[key] = constant_halves(batch[key], 1 + offset, 2 + offset)
    names = {1: ('reference', 'RGB'), 2: ('reference', 'TIR'), 11: ('test', 'RGB'), 12: ('test', 'TIR')}
    known = {value: actor.net.extract_backbone_features(batch['train_images'][0, :1, :3] * 0 + value)
             for value in names}
    read: dict[str, set[str]] = {'reference': set(), 'test': set()}

    def note(module, args):
        for image in args[0]:
            best = min(known, key=lambda value: min((image - f[0]).abs().max().item() for f in known[value].values()
                                                    if f[0].shape == image.shape))
            branch, modality = names[best]
            read[branch].add(modality)
    for net in (actor.net, actor.teacher):
        parts = [net.bb_regressor.conv3_1r, net.bb_regressor.conv3_1t]
        for part in [*parts, *([net.classifier.feature_extractor] if row[0] in DIMPS else [])]:
            part.register_forward_pre_hook(note)
    actor(batch)
    assert {branch: '+'.join(sorted(seen)) for branch, seen in read.items()} == dict(
        zip(('reference', 'test'), TABLE_1[row][4:6], strict=True))


def constant_halves(images, rgb, tir):
    """Images (..., 6, H, W) whose halves are constant."""
    images = images.clone()
    images[:, :, :3], images[:, :, 3:] = rgb, tir
    return images


@pytest.mark.parametrize('row', TRAINED, ids=' '.join)
def test_length_of_the_training_and_loss(row):
    recipe = recipe_of(*row)
    assert (recipe.epochs, recipe.batch, recipe.samples, recipe.decay) == (50, 5, 26_000, (15, 0.5))
    assert (recipe.mix, recipe.teacher, recipe.thermal) == ('batch', 'frozen', row[1] != 'control')
    own = 'kl' if row[0] == 'cmd_prdimp' else 'hinge'
    assert (recipe.lambda_, recipe.mu, recipe.nu, recipe.tcl_loss) == (1.0, 0.0, 0.0, own)
    assert recipe.box_fraction is None, 'the kind of box has its own: 1/5 center_area, 1/6 random_sampling'


def test_every_row_is_there_and_in_the_paper_s_order():
    assert list(RECIPES) == ['cmd_dimp', 'cmd_atom', 'cmd_prdimp', 'cmd_super_dimp', 'cmd_kys', 'cmd_tomp']
    for tracker in DIMPS:
        assert list(RECIPES[tracker]) == ['a1', 'b1', 'b2', 'b3', 'c1', 'd1', 'd2', 'd3', 'd4', 'd5', 'control']
    assert list(RECIPES['cmd_atom']) == ['a1', 'b1', 'b2', 'b3', 'control']
    assert {row for row in ROWS if row[1] != 'control'} == set(TABLE_1)


def test_the_control_is_d3_without_thermal_images():
    """And without ancestors, which have seen them."""
    control, d3 = RECIPES['cmd_dimp']['control'], RECIPES['cmd_dimp']['d3']
    assert (control.thermal, control.init) == (False, ())
    assert dataclasses.replace(control, name='d3', summary=d3.summary, thermal=True, init=d3.init) == d3
    assert set(distilled('cmd_dimp')) == {'b1', 'b2', 'b3', 'c1', 'd1', 'd2', 'd3', 'd4', 'd5'}


def test_the_control_of_atom_trains_what_b3_has_without_thermal_images():
    control, b1 = RECIPES['cmd_atom']['control'], RECIPES['cmd_atom']['b1']
    assert (control.thermal, control.init, control.student, control.lr) == (False, (), 'both', b1.lr)
    assert set(distilled('cmd_atom')) == {'b1', 'b2', 'b3'}


def test_ancestors_come_before_their_descendants():
    assert with_ancestors('cmd_dimp', ('d3',)) == ['a1', 'b1', 'b2', 'b3', 'c1', 'd3']
    assert with_ancestors('cmd_dimp', ('d5', 'b1', 'control')) == ['a1', 'b1', 'b2', 'b3', 'c1', 'd5', 'control']
    assert with_ancestors('cmd_atom', ('b3',)) == ['a1', 'b1', 'b2', 'b3']


def test_one_line_a_recipe():
    lines = listing()
    assert [tuple(line.split()[:2]) for line in lines] == ROWS
    assert all(len(line) < 120 and '\n' not in line for line in lines)


@pytest.mark.parametrize(('tracker', 'name', 'message'), [
    ('cmd_dimp', 'd33', "unknown row of cmd_dimp 'd33': did you mean 'd3'\\? known: a1, b1, b2, b3, c1, d1,"),
    ('cmd_atom', 'c1', "unknown row of cmd_atom 'c1': .*known: a1, b1, b2, b3, control"),
    ('cmd_siam', 'b1', "unknown tracker 'cmd_siam': .*known: cmd_dimp, cmd_atom")])
def test_an_unknown_row_is_told_with_those_there_are(tracker, name, message):
    with pytest.raises(UserError, match=message):
        recipe_of(tracker, name)


def test_rates_and_decay_reach_the_optimiser(monkeypatch, tmp_path):
    """What `train` hands to the trainer, for d3 at the paper's rates."""
    handed = {}

    class Trainer:
        def __init__(self, actor, loaders, optimizer, settings, scheduler):
            handed.update(actor=actor, loader=loaders[0], optimizer=optimizer, scheduler=scheduler)

        def train(self, epochs, **options):
            handed.update(epochs=epochs, **options)

        def train_epoch(self):
            pass

    monkeypatch.setattr(training, 'LTRTrainer', Trainer)
    pairs = tmp_path / 'pairs.txt'
    for name in 'ab':
        (tmp_path / f'{name}.png').touch()
    pairs.write_text('a.png b.png\n')
    actor, d3 = actor_of('d3'), RECIPES['cmd_dimp']['d3']
    training.train(SimpleNamespace(data=[pairs], workers=0), d3, actor.net, actor.teacher)
    groups, optimizer, scheduler = handed['optimizer'].param_groups, handed['optimizer'], handed['scheduler']
    rate_of = {len(group['params']): group['lr'] for group in groups}
    trained = d3.trained(actor.net)
    assert rate_of == {len(trained['bbe']): 1e-7, len(trained['tcl']): 2e-8}
    assert (handed['epochs'], handed['load_latest']) == (50, True)
    assert (handed['loader'].batch_size, len(handed['loader'])) == (5, 5200)
    rates = []
    for _ in range(31):
        rates.append(groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([1e-7] * 15 + [5e-8] * 15 + [2.5e-8])


@pytest.mark.parametrize(('tracker', 'proposals', 'jitter'), [('cmd_dimp', 8, {'train': 3.0, 'test': 4.5}),
                                                              ('cmd_atom', 16, {'train': 0.0, 'test': 4.5})])
def test_crops_and_proposals_are_those_of_the_tracker_s_own_training(monkeypatch, tmp_path, tracker, proposals, jitter):
    made = {}

    class Sampler:
        def __init__(self, source, boxes, samples, processing):
            made.update(boxes=boxes, processing=processing)
            raise KeyError

    monkeypatch.setattr(training, 'PairedSampler', Sampler)
    monkeypatch.setattr(training, 'PairedDataset', lambda folders: SimpleNamespace(summary=lambda: ''))
    actor = actor_of('b1', tracker=tracker)
    with pytest.raises(KeyError):
        training.train(SimpleNamespace(data=[tmp_path]), actor.recipe, actor.net, actor.teacher)
    assert made['processing'].proposal_params['boxes_per_frame'] == proposals
    assert made['processing'].center_jitter_factor == jitter
    assert made['processing'].output_sz in (144, (144, 144)) and made['boxes'].fraction == 1 / 5


@pytest.mark.parametrize(('changes', 'message'), [
    ({'student': 'teacher'}, "student must be one of .* not 'teacher'"),
    ({'mix': 'channel'}, "mix must be one of .* not 'channel'"),
    ({'teacher': 'none'}, "teacher must be one of .* not 'none'"),
    ({'pseudo_box': 'guess'}, "pseudo_box must be one of .* not 'guess'"),
    ({'tracker': 'dimp'}, "tracker must be one of .* not 'dimp'"),
    ({'tcl_loss': 'l1'}, "tcl_loss must be one of .* not 'l1'"),
    ({'tcl_loss': 'kl', 'components': ('tcl',), 'lr': {'tcl': 1.0}}, "tcl_loss must be one of .*'squared'.* not 'kl'"),
    ({'tcl_loss': 'hinge', 'components': ('tcl',), 'lr': {'tcl': 1.0}, 'tracker': 'cmd_prdimp'},
     "tcl_loss must be one of .*'kl',.* not 'hinge'"),
    ({'mu': -1.0}, 'mu must be 0 or more, not -1.0'), ({'nu': float('nan')}, 'nu must be 0 or more'),
    ({'lambda_': float('inf')}, 'lambda must be 0 or more'),
    ({'lr': {}}, r"each of \('bbe',\) needs a rate"),
    ({'lr': {'bbe': 1e-6, 'tcl': 1e-6}}, 'needs a rate'),
    ({'components': ('iou',), 'lr': {'iou': 1e-6}}, r"cmd_dimp has \('tcl', 'bbe'\)"),
    ({'components': ('tcl',), 'lr': {'tcl': 1e-6}, 'tracker': 'cmd_atom'}, r"cmd_atom has \('bbe',\)"),
    ({'mix': 'spatial', 'student': 'reference'}, 'the spatial mix trains both branches'),
])
def test_a_bad_recipe_is_refused(changes, message):
    arguments = {'tracker': 'cmd_dimp', 'components': ('bbe',), 'lr': {'bbe': 1e-6}, **changes}
    with pytest.raises(ValueError, match=f'^recipe mine: .*{message}'):
        CMDRecipe('mine', 'an attempt', **arguments)
