"""Which network the tracker `cmd_dimp` takes: the newest distilled one, and never a parent by mistake."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cmd_plugin import checkpoints, selection
from cmd_plugin.errors import UserError
from cmd_plugin.selection import VARIABLE, distilled_network
from pytracking.evaluation import Tracker
from tests.distilling.conftest import small_net


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'workspace'))
    monkeypatch.delenv(VARIABLE, raising=False)
    selection._checked.cache_clear()
    return tmp_path / 'workspace'


def put(recipe: str, time: float, epoch: int = 1, info: dict | None = None) -> Path:
    """A checkpoint in the place of a recipe, last changed at `time`."""
    path = checkpoints.folder_of(recipe) / f'DiMPnet_ep{epoch:04d}.pth.tar'
    checkpoints.save(path, small_net(), {'recipe': recipe, 'crop_size': 144} if info is None else info)
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


def test_parameters_are_stock_dimp_with_that_network_told_once(capsys):
    path = put('d3', 5000)
    tracker = Tracker('cmd_dimp', 'default')
    parameters = [tracker.get_parameters() for _ in range(3)]
    assert capsys.readouterr().err.count('network: ') == 1
    stock = Tracker('dimp', 'dimp_small').get_parameters()
    assert {p.net.net_path for p in parameters} == {str(path)}
    assert tracker.get_tracker_class() is Tracker('dimp', 'dimp50').get_tracker_class()
    ours = vars(parameters[0])
    different = {name for name, value in vars(stock).items() if name != 'net' and ours.get(name) != value}
    assert different == set(), 'same crops, same steps: only the network differs'
