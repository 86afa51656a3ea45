"""Distilled trackers of other packages: who is let in, who is told what, and whom a broken one harms."""

from __future__ import annotations

import pytest

from cmd_plugin import doctor, networks, recipes
from cmd_plugin.errors import UserError
from cmd_plugin.families import CMD_DIMP, FAMILIES, GROUP, OWN, broken
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES, listing, recipe_of
from cmd_plugin.table1.plan import chosen_rows
from ltr.admin import plugins
from ltr.run_training import find_settings, run_training

BROKEN = {GROUP: {'cmd_broken': 'broken_pocket:FAMILY'}, 'pytracking.trackers': {'cmd_broken': 'broken_pocket:x'},
          'pytracking.train_settings': {'cmd_broken': 'broken_settings'}}


def test_a_family_of_another_package_is_one_of_all(example):
    assert list(FAMILIES) == [*OWN, 'cmd_pocket'] and len(FAMILIES) == len(OWN) + 1
    assert 'cmd_pocket' in FAMILIES and 'cmd_packet' not in FAMILIES
    assert FAMILIES['cmd_pocket'].components.keys() == {'match'}
    assert list(RECIPES['cmd_pocket']) == ['a1', 'b1', 'b2']
    recipe = recipe_of('cmd_pocket', 'b1')
    assert (recipe.tracker, recipe.modules('match')) == ('cmd_pocket', ('reference',))
    assert [line.split()[:2] for line in listing()][-3:] == [['cmd_pocket', name] for name in ('a1', 'b1', 'b2')]
    assert chosen_rows('cmd_pocket', None, None) == ('a1', 'b1', 'b2')


def test_an_unknown_family_is_told_with_the_near_one(example):
    with pytest.raises(UserError, match=r"unknown tracker 'cmd_packet': did you mean 'cmd_pocket'\? known: cmd_dimp"):
        recipe_of('cmd_packet', 'b1')
    with pytest.raises(KeyError):
        FAMILIES['cmd_packet']


def test_without_a_package_there_are_the_plugin_s_own(install):
    assert list(FAMILIES) == list(OWN) == ['cmd_dimp', 'cmd_atom', 'cmd_prdimp', 'cmd_super_dimp', 'cmd_kys',
                                           'cmd_tomp']


def test_on_a_toolkit_without_a_door_there_are_the_plugin_s_own(example, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'ltr.admin.plugins', None)
    monkeypatch.delattr('ltr.admin.plugins')
    assert list(FAMILIES) == list(OWN) and FAMILIES['cmd_dimp'] is CMD_DIMP
    assert broken('cmd_pocket') is not None


def test_two_providers_of_one_name_are_both_named(example, install):
    install('pocket-fork', {GROUP: {'cmd_pocket': 'fork:FAMILY'}})
    message = "distilled tracker 'cmd_pocket' is provided by pocket-fork and pocket-tracker: uninstall or rename one"
    with pytest.raises(UserError, match=message):
        recipe_of('cmd_pocket', 'b1')
    assert recipe_of('cmd_dimp', 'd3').name == 'd3'
    assert f'cmd_pocket: broken: UserError: {message}' in '\n'.join(listing())


def test_an_own_name_cannot_be_overridden(install, capsys):
    install('intruder', {GROUP: {'cmd_dimp': 'json:dumps'}})
    assert FAMILIES['cmd_dimp'] is CMD_DIMP and list(FAMILIES) == list(OWN)
    assert capsys.readouterr().err.startswith("warning: intruder also provides the distilled tracker 'cmd_dimp'")


def test_a_broken_neighbour_harms_nobody_who_does_not_use_it(example, install, monkeypatch, capsys, tmp_path):
    site = install('broken', BROKEN)
    (site / 'broken_pocket.py').write_text('raise RuntimeError("wrong driver")\n')
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    assert recipe_of('cmd_pocket', 'b1').summary and recipe_of('cmd_dimp', 'b1').summary
    lines = listing()
    assert 'cmd_broken: broken: RuntimeError: wrong driver' in lines
    assert sum(line.startswith(('cmd_pocket ', 'cmd_super_dimp ')) for line in lines) == 3 + 11
    assert 'cmd_broken: BROKEN: RuntimeError: wrong driver' in doctor._networks([])
    net = networks.new_network('pocket', 'cmd_pocket')
    assert networks.crop_size(net) == 128, 'a search among all families goes on'
    with pytest.raises(RuntimeError, match='wrong driver'):
        recipe_of('cmd_broken', 'b1')


def test_an_import_error_in_a_settings_file_comes_through(example, install):
    site = install('broken', BROKEN)
    (site / 'broken_settings').mkdir()
    (site / 'broken_settings' / '__init__.py').touch()
    (site / 'broken_settings' / 'b1.py').write_text('import a_package_nobody_has\n')
    with pytest.raises(ModuleNotFoundError) as caught:
        run_training('cmd_broken', 'b1')
    assert caught.value.name == 'a_package_nobody_has' and caught.traceback[-1].path.name == 'b1.py'
    assert find_settings('cmd_pocket', 'b1').run


def test_an_import_error_of_the_family_comes_through(install):
    site = install('broken', BROKEN)
    (site / 'broken_pocket.py').write_text('import a_package_nobody_has\n')
    with pytest.raises(ModuleNotFoundError) as caught:
        recipe_of('cmd_broken', 'b1')
    assert caught.value.name == 'a_package_nobody_has'


@pytest.mark.parametrize('source', ['FAMILY = 3', 'from cmd_plugin.families import CMD_DIMP as FAMILY'])
def test_what_is_no_family_of_that_name_is_said_to_be_none(install, source):
    site = install('broken', BROKEN)
    (site / 'broken_pocket.py').write_text(source + '\n')
    with pytest.raises(UserError, match="broken_pocket:FAMILY is offered as the distilled tracker 'cmd_broken', but"):
        recipe_of('cmd_broken', 'b1')


def test_work_that_is_not_installed_comes_in_through_the_environment(install, monkeypatch):
    site = install('alpha', {})
    (site / 'alpha_door.py').write_text(f'entry_points = {{{GROUP!r}: {{"cmd_mine": "alpha_door:FAMILY"}}}}\n'
                                        'from dataclasses import replace\n'
                                        'from cmd_plugin.families import CMD_ATOM\n'
                                        'from cmd_plugin.recipes import BBE_ROWS\n'
                                        'FAMILY = replace(CMD_ATOM, name="cmd_mine", rows=BBE_ROWS)\n')
    monkeypatch.setenv(plugins.VARIABLE, 'alpha=alpha_door')
    assert list(RECIPES['cmd_mine']) == ['a1', 'b1', 'b2', 'b3']
    assert recipes.distilled('cmd_mine') == ('b1', 'b2', 'b3')


def test_a_row_is_checked_when_a_family_takes_it(example):
    row = CMDRecipe('x1', 'of nobody yet', components=('match',), lr={'match': 1e-3})
    assert row.tracker == ''
    with pytest.raises(ValueError, match=r"recipe x1: components \('match',\), but cmd_dimp has \('tcl', 'bbe'\)"):
        __import__('dataclasses').replace(row, tracker='cmd_dimp')
