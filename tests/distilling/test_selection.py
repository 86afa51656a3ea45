"""Which network a tracking run takes: the newest distilled one, or a row's, and never a parent by mistake."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cmd_plugin import checkpoints, selection
from cmd_plugin.errors import UserError
from cmd_plugin.selection import VARIABLE, distilled_network, row_network
from pytracking.evaluation import Tracker
from tests.distilling.conftest import small_net


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'workspace'))
    monkeypatch.delenv(VARIABLE, raising=False)
    selection._checked.cache_clear()
    return tmp_path / 'workspace'


def put(recipe: str, time: float, epoch: int = 1, info: dict | None = None, tracker: str = 'cmd_dimp') -> Path:
    """A checkpoint in the place of a recipe, last changed at `time`."""
    path = checkpoints.folder_of(recipe, tracker) / f'Net_ep{epoch:04d}.pth.tar'
    checkpoints.save(path, small_net(tracker=tracker), {'recipe': recipe, 'crop_size': 144} if info is None else info)
    os.utime(path, (time, time))
    return path


def test_the_newest_distilled_network_of_any_recipe(capsys):
    put('c1', 2000)
    newest = put('d3', 3000, epoch=2)
    put('d3', 4000, epoch=1)  # an earlier epoch that was copied later is not the end of the run
    put('b1', 1000)
    assert distilled_network() == (newest, 144)
    captured = capsys.readouterr()
    assert captured.err == f'network: {newest} (recipe d3, epoch 1)\n' and captured.out == ''
    changed = put('b3', 5000)
    assert distilled_network()[0] == changed


def test_parent_and_control_are_never_picked(capsys):
    put('a1', 9000), put('control', 9000)
    with pytest.raises(UserError, match='no distilled network below'):
        distilled_network()
    mine = put('b2', 1)
    assert distilled_network()[0] == mine


def test_none_says_what_to_do(workspace):
    with pytest.raises(UserError) as caught:
        distilled_network()
    message = str(caught.value)
    assert str(workspace / 'checkpoints' / 'ltr' / 'cmd_dimp') in message and '\n' not in message
    assert 'python ltr/run_training.py cmd_dimp d3 --data PAIRS' in message
    assert f'name one with {VARIABLE}' in message and 'use the tracker dimp' in message


def test_the_variable_names_any_distilled_one_the_control_too(monkeypatch):
    put('d3', 5000)
    for recipe in ('c1', 'control'):
        named = put(recipe, 10)
        monkeypatch.setenv(VARIABLE, str(named))
        assert distilled_network()[0] == named


@pytest.mark.parametrize(('info', 'what'), [
    ({'recipe': 'a1'}, 'is the parent (a1)'), ({}, 'is not a network that this plugin has distilled')])
def test_a_parent_is_refused_even_when_named(monkeypatch, tmp_path, info, what):
    put('d3', 5000)
    path = tmp_path / 'dimp50.pth.tar'
    checkpoints.save(path, small_net(), info)
    monkeypatch.setenv(VARIABLE, str(path))
    with pytest.raises(UserError, match=re.escape(f'{path} {what}')):
        distilled_network()


def test_a_parent_in_the_place_of_a_distilled_one_is_refused():
    put('d3', 5000, info={'recipe': 'a1'})
    with pytest.raises(UserError, match='is the parent'):
        distilled_network()


def test_a_named_file_that_is_not_there(monkeypatch, tmp_path):
    put('d3', 5000)
    monkeypatch.setenv(VARIABLE, str(tmp_path / 'gone.pth.tar'))
    with pytest.raises(UserError, match=r'no checkpoint .*gone\.pth\.tar'):
        distilled_network()


def test_each_tracker_takes_its_own(monkeypatch):
    dimp, atom = put('b2', 5000), put('b1', 6000, tracker='cmd_atom')
    assert distilled_network('cmd_dimp')[0] == dimp and distilled_network('cmd_atom')[0] == atom
    monkeypatch.setenv(VARIABLE, str(dimp))
    with pytest.raises(UserError, match=re.escape(f'{dimp} holds a dimpnet_small, which is no network of cmd_atom')):
        distilled_network('cmd_atom')


def test_none_of_atom_says_what_to_do(workspace):
    with pytest.raises(UserError, match=r'cmd_atom b3.*for the parent itself use the tracker atom'):
        distilled_network('cmd_atom')


@pytest.mark.parametrize('row', ['a1', 'c1', 'control'])
def test_a_row_by_its_name_the_parent_too(row, monkeypatch):
    """`run_tracker cmd_dimp ROW` takes that row, whatever is newer or named by the variable."""
    path = put(row, 10, epoch=3)
    monkeypatch.setenv(VARIABLE, str(put('d3', 5000)))
    assert Tracker('cmd_dimp', row).get_parameters().net.net_path == str(path)


def test_a_row_that_is_missing_or_another_s_is_refused():
    with pytest.raises(UserError, match=r'no network of d2 below .*run_training\.py cmd_dimp d2 --data PAIRS'):
        row_network('cmd_dimp', 'd2')
    path = put('d2', 10, info={'recipe': 'd1'})
    with pytest.raises(UserError, match=re.escape(f"{path} is a network of 'd1', not of d2")):
        row_network('cmd_dimp', 'd2')


@pytest.mark.parametrize(('name', 'parent', 'small'), [('cmd_dimp', 'dimp', 'dimp_small'),
                                                       ('cmd_atom', 'atom', 'atom_small')])
def test_parameters_are_stock_with_that_network_told_once(capsys, name, parent, small):
    path = put('b3', 5000, tracker=name)
    tracker = Tracker(name, 'default')
    parameters = [tracker.get_parameters() for _ in range(3)]
    assert capsys.readouterr().err.count('network: ') == 1
    stock = Tracker(parent, small).get_parameters()
    assert {p.net.net_path for p in parameters} == {str(path)}
    assert tracker.get_tracker_class() is Tracker(parent, small).get_tracker_class()
    ours = vars(parameters[0])
    different = {name for name, value in vars(stock).items() if name != 'net' and ours.get(name) != value}
    assert different == set(), 'same crops, same steps: only the network differs'
