"""Train settings by name, and where their options come from: a flag, else a variable, else the recipe."""

from __future__ import annotations

import importlib
import os
import pkgutil
from pathlib import Path
from types import SimpleNamespace

import pytest

import cmd_plugin.parameter
import cmd_plugin.train_settings
from cmd_plugin import checkpoints, training
from cmd_plugin.errors import UserError
from cmd_plugin.options import apply_variables, count, data_folders, factor, option
from cmd_plugin.recipes import RECIPES
from ltr.admin import plugins
from ltr.admin.settings import Settings
from tests.distilling.conftest import ROWS

D3 = RECIPES['cmd_dimp']['d3']


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith('CMD_') and name != 'CMD_SHARED_DATA']:
        monkeypatch.delenv(name)


def modules(package) -> dict[tuple[str, str], Path]:
    folder = Path(package.__path__[0])
    return {(tracker, info.name): folder / tracker / f'{info.name}.py' for tracker in RECIPES
            for info in pkgutil.iter_modules([str(folder / tracker)])}


def test_settings_modules_are_the_recipes(monkeypatch):
    asked = []
    monkeypatch.setattr(training, 'run', lambda settings, tracker, name: asked.append((tracker, name)))
    assert set(modules(cmd_plugin.train_settings)) == set(ROWS)
    for tracker, name in ROWS:
        package = plugins.load('pytracking.train_settings', tracker)
        importlib.import_module(f'{package.__name__}.{name}').run(None)
    assert asked == ROWS


def test_parameter_modules_are_the_recipes_and_the_default():
    assert set(modules(cmd_plugin.parameter)) == {*ROWS, *((tracker, 'default') for tracker in RECIPES)}


@pytest.mark.parametrize('package', [cmd_plugin.train_settings, cmd_plugin.parameter])
def test_modules_differ_in_their_names_alone(package):
    assert len({path.read_bytes() for path in modules(package).values()}) == 1


def test_a_module_knows_its_recipe_under_another_package_too(monkeypatch):
    """A stock toolkit finds settings by the path of its own package."""
    asked = []
    monkeypatch.setattr(training, 'run', lambda settings, tracker, name: asked.append((tracker, name)))
    training.run_of('ltr.train_settings.cmd_atom.b2')(None)
    assert asked == [('cmd_atom', 'b2')]


def test_a_flag_comes_before_a_variable_and_a_variable_before_the_recipe(monkeypatch):
    settings = Settings()
    assert training.with_options(settings, D3) == D3
    for name, text in {'EPOCHS': '3', 'BATCH': '4', 'SAMPLES': '40', 'LR_SCALE': '1e3', 'MIX': 'spatial',
                       'TEACHER': 'shared', 'LAMBDA': '0', 'MU': '1e-3', 'NU': '2', 'TCL_LOSS': 'squared',
                       'BOX_FRACTION': '0.25'}.items():
        monkeypatch.setenv(f'CMD_{name}', text)
    settings.batch, settings.lr_scale = 2, 10.0
    recipe = training.with_options(settings, D3)
    assert (recipe.epochs, recipe.batch, recipe.samples, recipe.mix, recipe.teacher) == (3, 2, 40, 'spatial', 'shared')
    assert (recipe.lambda_, recipe.mu, recipe.nu, recipe.tcl_loss, recipe.box_fraction) == (0, 1e-3, 2, 'squared', 0.25)
    assert recipe.lr == pytest.approx({'bbe': 1e-6, 'tcl': 2e-7})
    assert D3.lr == {'bbe': 1e-7, 'tcl': 2e-8}


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
    assert (settings.seed, settings.device, Path(settings.env.workspace_dir)) == (7, 'cpu', tmp_path)
    assert checkpoints.folder_of('d3') == tmp_path / 'checkpoints' / 'ltr' / 'cmd_dimp' / 'd3'
    assert checkpoints.folder_of('b1', 'cmd_atom') == tmp_path / 'checkpoints' / 'ltr' / 'cmd_atom' / 'b1'
    monkeypatch.setenv('CMD_SEED', '-1')
    with pytest.raises(UserError, match="CMD_SEED='-1' is not valid; expected: a whole number of 0 or more"):
        apply_variables(Settings())
    given = Settings()
    given.seed, given.device = 3, 'cuda'
    apply_variables(given)
    assert (given.seed, given.device) == (3, 'cuda'), 'a flag comes before the variable'
    given.seed, given.device, given.given = 0, 'auto', ('seed', 'device')
    apply_variables(given)
    assert (given.seed, given.device) == (0, 'auto'), 'one of 0, too'


def test_no_pairs_says_what_to_give():
    with pytest.raises(UserError, match=r'give --data DIR \(repeatable\) or set CMD_DATA'):
        data_folders(Settings())


@pytest.mark.parametrize(('variable', 'text', 'message'), [
    ('CMD_EPOCHS', 'ten', 'whole number of 1 or more'), ('CMD_EPOCHS', '0', '1 or more'),
    ('CMD_BATCH', '-5', '1 or more'), ('CMD_SAMPLES', '2.5', '1 or more'), ('CMD_LR_SCALE', 'nan', 'number above 0'),
    ('CMD_LR_SCALE', '-1', 'above 0'), ('CMD_MIX', 'both', "mix must be one of .* not 'both'"),
    ('CMD_LR', 'tcl', 'rates by component'), ('CMD_LR', 'tcl=1e-5', 'CMD_LR'), ('CMD_LR', 'tcl=-1,bbe=1', 'rates'),
    ('CMD_TEACHER', 'x', "not 'x'"), ('CMD_BOX_FRACTION', '0', 'number above 0'),
    ('CMD_LAMBDA', 'much', 'number of 0 or more'), ('CMD_MU', '-1', 'number of 0 or more'),
    ('CMD_NU', 'inf', 'number of 0 or more'), ('CMD_TCL_LOSS', 'l1', "tcl_loss must be one of .* not 'l1'")])
def test_a_bad_variable_is_named_with_what_is_expected(monkeypatch, variable, text, message):
    monkeypatch.setenv(variable, text)
    with pytest.raises(UserError, match=f'(?s)(?=.*{variable}).*{message}'):
        training.with_options(Settings(), D3)


def test_rates_by_component(monkeypatch):
    monkeypatch.setenv('CMD_LR', 'tcl=1e-4, bbe=2e-6')
    assert training.with_options(Settings(), D3).lr == {'tcl': 1e-4, 'bbe': 2e-6}


def test_a_spatial_mix_of_a_recipe_with_one_branch_is_a_users_mistake(monkeypatch):
    monkeypatch.setenv('CMD_MIX', 'spatial')
    with pytest.raises(UserError, match='recipe b1: the spatial mix trains both branches'):
        training.with_options(Settings(), RECIPES['cmd_dimp']['b1'])


@pytest.mark.parametrize('text', ['1', '0.5', '1e-3'])
def test_factors(text):
    assert factor(text) == float(text)
