"""Recipes against Table 1 and the hyper-parameters of the paper, written out here."""

from __future__ import annotations

import dataclasses
import importlib
import os
import pkgutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import cmd_plugin.train_settings.cmd_dimp as package
from cmd_plugin import checkpoints, training
from cmd_plugin.errors import UserError
from cmd_plugin.options import apply_variables, count, data_folders, factor, option
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import DISTILLED, RECIPES
from ltr.admin.settings import Settings
from tests.distilling.conftest import actor_of, make_batch

REFERENCE = {'bbe': 'conv3_1r conv4_1r fc3_1r fc34_3r fc34_4r', 'tcl': 'filter_initializer filter_optimizer'}
TEST = {'bbe': 'conv3_1t conv3_2t conv4_1t conv4_2t fc3_rt fc4_rt iou_predictor', 'tcl': 'feature_extractor'}

# row: what updates, in which branch, images the reference branch reads, images the test branch reads, rates, start
TABLE_1 = {
    'a1': ((), (), '-', '-', {}, ()),
    'b1': (('bbe',), ('reference',), 'TIR', 'RGB', {'bbe': 1e-6}, ()),
    'b2': (('bbe',), ('test',), 'RGB', 'TIR', {'bbe': 1e-6}, ()),
    'b3': ((), (), '-', '-', {}, ('b1', 'b2')),
    'c1': (('tcl',), ('reference',), 'TIR', 'RGB', {'tcl': 1e-6}, ()),
    'd3': (('bbe', 'tcl'), ('reference', 'test'), 'RGB+TIR', 'RGB+TIR', {'bbe': 1e-7, 'tcl': 2e-8}, ('b3', 'c1')),
}
TRAINED = [name for name, row in TABLE_1.items() if row[0]]


@pytest.mark.parametrize('name', TABLE_1)
def test_row_of_table_1(name):
    components, branches, _, _, rates, start = TABLE_1[name]
    recipe = RECIPES[name]
    assert set(recipe.components) == set(components)
    assert dict(recipe.lr) == rates
    assert recipe.init == start
    for component in ('bbe', 'tcl'):
        parts = [part for branch, table in (('reference', REFERENCE), ('test', TEST)) if branch in branches
                 for part in table[component].split()]
        expected = parts if component in components else []
        assert sorted(module.split('.')[1] for module in recipe.modules(component)) == sorted(expected)


@pytest.mark.parametrize('name', TRAINED)
def test_which_images_the_branches_read(name):
    """RGB images are all 1, TIR images all 2: what enters the backbones tells the modality, in order of the crops."""
    actor = actor_of(name)
    batch = make_batch()
    for key, offset in (('train_images', 0), ('test_images', 10)):
        batch[key] = torch.cat([torch.full_like(batch[key][:, :, :3], value + offset) for value in (1, 2)], dim=2)
    names = {1: ('reference', 'RGB'), 2: ('reference', 'TIR'), 11: ('test', 'RGB'), 12: ('test', 'TIR')}
    features = {}
    for net in (actor.net, actor.teacher):
        net.feature_extractor.register_forward_hook(lambda module, args, out: features.update(
            {feature.untyped_storage().data_ptr(): (feature, args[0].unique().tolist()) for feature in out.values()}))
    read: dict[str, set[str]] = {'reference': set(), 'test': set()}

    def note(module, args):
        _, values = features[args[0].untyped_storage().data_ptr()]
        for value in values:
            branch, modality = names[int(value)]
            read[branch].add(modality)
    for net in (actor.net, actor.teacher):
        regressor = net.bb_regressor
        for part in (regressor.conv3_1r, regressor.conv3_1t, net.classifier.feature_extractor):
            part.register_forward_pre_hook(note)
    actor(batch)
    assert {branch: '+'.join(sorted(seen)) for branch, seen in read.items()} == dict(
        zip(('reference', 'test'), TABLE_1[name][2:4], strict=True))


@pytest.mark.parametrize('name', TRAINED)
def test_length_of_the_training(name):
    recipe = RECIPES[name]
    assert (recipe.epochs, recipe.batch, recipe.samples, recipe.decay) == (50, 5, 26_000, (15, 0.5))
    assert (recipe.pseudo_box, recipe.mix, recipe.teacher, recipe.thermal) == ('center_area', 'batch', 'frozen', True)


def test_the_control_is_d3_without_thermal_images():
    """And without ancestors, which have seen them."""
    control, d3 = RECIPES['control'], RECIPES['d3']
    assert (control.thermal, control.init) == (False, ())
    assert dataclasses.replace(control, name='d3', summary=d3.summary, thermal=True, init=d3.init) == d3
    assert set(DISTILLED) == {'b1', 'b2', 'b3', 'c1', 'd3'}


def test_rates_and_decay_reach_the_optimiser(monkeypatch, tmp_path):
    """What `train` hands to the trainer, for d3 at the paper's rates."""
    handed = {}

    class Trainer:
        def __init__(self, actor, loaders, optimizer, settings, scheduler):
            handed.update(actor=actor, loader=loaders[0], optimizer=optimizer, scheduler=scheduler)

        def train(self, epochs, **options):
            handed.update(epochs=epochs, **options)

    monkeypatch.setattr(training, 'LTRTrainer', Trainer)
    pairs = tmp_path / 'pairs.txt'
    for name in 'ab':
        (tmp_path / f'{name}.png').touch()
    pairs.write_text('a.png b.png\n')
    actor = actor_of('d3')
    training.train(SimpleNamespace(data=[pairs], workers=0), RECIPES['d3'], actor.net, actor.teacher)
    groups, optimizer, scheduler = handed['optimizer'].param_groups, handed['optimizer'], handed['scheduler']
    rate_of = {len(group['params']): group['lr'] for group in groups}
    trained = RECIPES['d3'].trained(actor.net)
    assert rate_of == {len(trained['bbe']): 1e-7, len(trained['tcl']): 2e-8}
    assert (handed['epochs'], handed['load_latest']) == (50, True)
    assert (handed['loader'].batch_size, len(handed['loader'])) == (5, 5200)
    rates = []
    for _ in range(31):
        rates.append(groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([1e-7] * 15 + [5e-8] * 15 + [2.5e-8])


@pytest.mark.parametrize(('changes', 'message'), [
    ({'student': 'teacher'}, "student must be one of .* not 'teacher'"),
    ({'mix': 'channel'}, "mix must be one of .* not 'channel'"),
    ({'teacher': 'none'}, "teacher must be one of .* not 'none'"),
    ({'pseudo_box': 'detection'}, "pseudo_box must be one of .* not 'detection'"),
    ({'lr': {}}, r"each of \('bbe',\) needs a rate"),
    ({'lr': {'bbe': 1e-6, 'tcl': 1e-6}}, 'needs a rate'),
    ({'components': ('iou',), 'lr': {'iou': 1e-6}}, "known are .*'bbe'"),
    ({'mix': 'spatial', 'student': 'reference'}, 'the spatial mix trains both branches'),
])
def test_a_bad_recipe_is_refused(changes, message):
    arguments = {'components': ('bbe',), 'lr': {'bbe': 1e-6}, **changes}
    with pytest.raises(ValueError, match=f'^recipe mine: .*{message}'):
        CMDRecipe('mine', 'an attempt', **arguments)


def test_settings_modules_are_the_recipes(monkeypatch):
    asked = []
    monkeypatch.setattr(training, 'run', lambda settings, name: asked.append(name))
    names = {info.name for info in pkgutil.iter_modules(package.__path__)}
    assert names == set(RECIPES)
    for name in sorted(names):
        importlib.import_module(f'{package.__name__}.{name}').run(None)
    assert asked == sorted(RECIPES)


# --- options: a flag (an attribute of the settings), else a variable, else the recipe ---

@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith('CMD_') and name != 'CMD_SHARED_DATA']:
        monkeypatch.delenv(name)


def test_a_flag_comes_before_a_variable_and_a_variable_before_the_recipe(monkeypatch):
    settings = Settings()
    assert training.with_options(settings, RECIPES['d3']) == RECIPES['d3']
    for name, text in {'EPOCHS': '3', 'BATCH': '4', 'SAMPLES': '40', 'LR_SCALE': '1e3', 'MIX': 'spatial',
                       'TEACHER': 'shared'}.items():
        monkeypatch.setenv(f'CMD_{name}', text)
    settings.batch, settings.lr_scale = 2, 10.0
    recipe = training.with_options(settings, RECIPES['d3'])
    assert (recipe.epochs, recipe.batch, recipe.samples, recipe.mix, recipe.teacher) == (3, 2, 40, 'spatial', 'shared')
    assert recipe.lr == pytest.approx({'bbe': 1e-6, 'tcl': 2e-7})
    assert RECIPES['d3'].lr == {'bbe': 1e-7, 'tcl': 2e-8}


def test_a_stock_settings_object_has_none_of_the_flags(monkeypatch):
    """There the variables are the only way."""
    monkeypatch.setenv('CMD_DATA', os.pathsep.join(['one', '', 'two']))
    assert data_folders(SimpleNamespace()) == [Path('one'), Path('two')]
    assert data_folders(SimpleNamespace(data=[Path('flag')])) == [Path('flag')]
    assert data_folders(SimpleNamespace(data='flag')) == [Path('flag')]
    assert option(SimpleNamespace(), 'epochs', 50, count) == 50


def test_variables_of_what_the_trainer_reads(monkeypatch, tmp_path):
    settings = Settings()
    apply_variables(settings)
    assert (settings.seed, settings.device) == (0, 'auto')
    for name, text in {'SEED': '7', 'DEVICE': 'cpu', 'WORKSPACE': str(tmp_path)}.items():
        monkeypatch.setenv(f'CMD_{name}', text)
    apply_variables(settings)
    assert (settings.seed, settings.device, settings.env.workspace_dir) == (7, 'cpu', tmp_path)
    assert checkpoints.folder_of('d3') == tmp_path / 'checkpoints' / 'ltr' / 'cmd_dimp' / 'd3'
    monkeypatch.setenv('CMD_SEED', '-1')
    with pytest.raises(UserError, match="CMD_SEED='-1' is not valid; expected: a whole number of 0 or more"):
        apply_variables(Settings())
    given = Settings()
    given.seed, given.device = 3, 'cuda'
    apply_variables(given)
    assert (given.seed, given.device) == (3, 'cuda'), 'a flag comes before the variable'


def test_no_pairs_says_what_to_give():
    with pytest.raises(UserError, match=r'give --data DIR \(repeatable\) or set CMD_DATA'):
        data_folders(Settings())


@pytest.mark.parametrize(('variable', 'text', 'message'), [
    ('CMD_EPOCHS', 'ten', 'whole number of 1 or more'), ('CMD_EPOCHS', '0', '1 or more'),
    ('CMD_BATCH', '-5', '1 or more'), ('CMD_SAMPLES', '2.5', '1 or more'), ('CMD_LR_SCALE', 'nan', 'number above 0'),
    ('CMD_LR_SCALE', '-1', 'above 0'), ('CMD_MIX', 'both', "mix must be one of .* not 'both'"),
    ('CMD_LR', 'tcl', 'rates by component'), ('CMD_LR', 'tcl=1e-5', 'CMD_LR'), ('CMD_LR', 'tcl=-1,bbe=1', 'rates'),
    ('CMD_TEACHER', 'x', "not 'x'"), ('CMD_BOX_FRACTION', '0', 'number above 0')])
def test_a_bad_variable_is_named_with_what_is_expected(monkeypatch, variable, text, message):
    monkeypatch.setenv(variable, text)
    with pytest.raises(UserError, match=f'(?s)(?=.*{variable}).*{message}'):
        training.with_options(Settings(), RECIPES['d3'])


def test_rates_by_component(monkeypatch):
    monkeypatch.setenv('CMD_LR', 'tcl=1e-4, bbe=2e-6')
    assert training.with_options(Settings(), RECIPES['d3']).lr == {'tcl': 1e-4, 'bbe': 2e-6}


def test_a_spatial_mix_of_a_recipe_with_one_branch_is_a_users_mistake(monkeypatch):
    monkeypatch.setenv('CMD_MIX', 'spatial')
    with pytest.raises(UserError, match='recipe b1: the spatial mix trains both branches'):
        training.with_options(Settings(), RECIPES['b1'])


@pytest.mark.parametrize('text', ['1', '0.5', '1e-3'])
def test_factors(text):
    assert factor(text) == float(text)
