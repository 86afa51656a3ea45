"""From the parent to the d rows: which weights a network starts from and is made of."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from cmd_plugin import checkpoints, lineage
from cmd_plugin.errors import UserError
from cmd_plugin.recipes import RECIPES
from tests.conftest import REPO
from tests.distilling.conftest import State, make, network_file, same, small_net, state_of
from tests.distilling.test_actor import BBE_REFERENCE, BBE_TEST, CLASSIFIER_PREDICTOR

pytestmark = pytest.mark.usefixtures('no_settings')


@dataclass
class Family:
    """A workspace with networks made by the commands, in their order, and their weights."""

    tracker: str
    workspace: Path
    states: dict[str, State]


@pytest.fixture(scope='module', params=['cmd_dimp', 'cmd_atom'])
def family(request, no_settings, tmp_path_factory, world_pairs) -> Family:
    """With a1, b1, b2, b3 and, where the tracker has a model predictor, c1."""
    tracker = request.param
    workspace = tmp_path_factory.mktemp('family')
    parent = network_file(tmp_path_factory.mktemp('parent'), tracker=tracker)
    paths = {'a1': make('a1', workspace, tracker, init=parent)}
    trained = [name for name in ('b1', 'b2', 'c1') if name in RECIPES[tracker]]
    paths |= {name: make(name, workspace, tracker, data=[world_pairs]) for name in trained}
    paths['b3'] = make('b3', workspace, tracker)
    return Family(tracker, workspace, {name: state_of(path) for name, path in paths.items()})


@pytest.fixture
def in_family(family, monkeypatch) -> Family:
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(family.workspace))
    return family


def test_a1_is_the_parent(family):
    assert same(family.states['a1'], small_net(tracker=family.tracker).state_dict())


def test_trained_ancestors_differ_from_the_parent_in_their_branch_alone(family):
    states = family.states
    for name, prefixes in (('b1', BBE_REFERENCE), ('b2', BBE_TEST), ('c1', CLASSIFIER_PREDICTOR)):
        if name not in states:
            continue
        changed = {key for key in states['a1'] if not torch.equal(states['a1'][key], states[name][key])}
        assert changed and all(key.startswith(prefixes) for key in changed)
        assert {key.split('.')[1] for key in changed} == {prefix.split('.')[1] for prefix in prefixes}


def test_b3_is_b1_and_b2_on_their_branches_and_a1_elsewhere(family):
    states = family.states
    for key, value in states['b3'].items():
        source = 'b1' if key.startswith(BBE_REFERENCE) else 'b2' if key.startswith(BBE_TEST) else 'a1'
        assert torch.equal(value, states[source][key]), f'{key} is not of {source}'


def test_the_merge_command_gives_what_the_setting_gives(family, tmp_path):
    folder = family.workspace / 'checkpoints' / 'ltr' / family.tracker
    files = {flag: str(next((folder / name).glob('*.pth.tar')))
             for flag, name in (('--base', 'a1'), ('--reference', 'b1'), ('--test', 'b2'))}
    out = tmp_path / 'deep' / 'b3.pth.tar'
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin', 'merge', *sum(files.items(), ()), '--out', str(out)],
                            cwd=REPO, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f'b3: {out}\n'
    assert same(state_of(out), family.states['b3'])
    assert checkpoints.load(out)[1]['net_info'] == {
        'recipe': 'b3', 'tracker': family.tracker, 'crop_size': 144,
        'teacher': checkpoints.fingerprint(small_net(tracker=family.tracker))}
    assert [path.name for path in out.parent.iterdir()] == ['b3.pth.tar']


@pytest.mark.parametrize('family', ['cmd_dimp'], indirect=True, scope='module')
@pytest.mark.parametrize('name', ['d1', 'd2', 'd3', 'd4', 'd5'])
def test_d_rows_start_from_b3_and_c1_with_the_parent_as_teacher(in_family, name):
    student, parent = lineage.start(None, RECIPES[in_family.tracker][name])
    assert same(parent.state_dict(), in_family.states['a1'])
    for key, value in student.state_dict().items():
        source = 'b3' if key.startswith('bb_regressor.') else 'c1' if key.startswith(CLASSIFIER_PREDICTOR) else 'a1'
        assert torch.equal(value, in_family.states[source][key]), f'{key} is not of {source}'


def test_what_needs_no_training_is_left_as_it_is_when_asked_for_again(in_family):
    path = checkpoints.newest('b3', in_family.tracker)
    before = path.stat().st_mtime_ns
    assert make('b3', in_family.workspace, in_family.tracker) == path and path.stat().st_mtime_ns == before


def test_another_parent_does_not_take_the_place_of_one_that_has_descendants(in_family, tmp_path):
    stranger = network_file(tmp_path, 7, tracker=in_family.tracker)
    with pytest.raises(UserError, match=r'a1.* is another parent, from which b1, b2, b3.* here were made: choose'):
        make('a1', in_family.workspace, in_family.tracker, init=stranger)
    assert same(state_of(checkpoints.newest('a1', in_family.tracker)), in_family.states['a1'])


def test_init_is_student_and_teacher_and_needs_no_ancestors(tmp_path, workspace, monkeypatch):
    monkeypatch.setenv('CMD_INIT', str(network_file(tmp_path, seed=3)))
    student, parent = lineage.start(None, RECIPES['cmd_dimp']['d3'])
    assert student is not parent
    assert same(student.state_dict(), parent.state_dict()) and same(parent.state_dict(), small_net(3).state_dict())
    shared = {p.data_ptr() for p in student.parameters()} & {p.data_ptr() for p in parent.parameters()}
    assert not shared, 'a step of the student would move its teacher'
