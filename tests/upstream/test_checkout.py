"""What is a checkout of the toolkit, and what is refused."""

from __future__ import annotations

import os
import shutil

import pytest

from cmd_plugin.errors import UserError
from cmd_plugin.upstream import checkout as checkouts
from cmd_plugin.upstream import command
from tests.conftest import REPO
from tests.upstream.standin.build import git


def test_a_checkout(checkout, tmp_path):
    assert checkouts.checked(checkout) == checkout
    (tmp_path / 'link').symlink_to(checkout)
    assert checkouts.checked(tmp_path / 'link') == checkout
    assert checkouts.revision(checkout).endswith('no file changed')
    (checkout / 'new.txt').touch()
    assert checkouts.revision(checkout).endswith('1 files changed or added')


@pytest.mark.parametrize(('made', 'message'), [
    (None, 'is not there'), ('file', 'is not a directory'), ('folder', 'is not a checkout of the toolkit: it has no'),
    ('half', 'it has no pytracking/run_tracker.py')])
def test_what_is_none(tmp_path, made, message):
    path = tmp_path / 'x'
    if made == 'file':
        path.touch()
    elif made:
        path.mkdir()
    if made == 'half':
        shutil.copytree(REPO / 'ltr', path / 'ltr', ignore=lambda folder, names: [n for n in names if n == 'models'])
    with pytest.raises(UserError, match=message):
        checkouts.checked(path)


def test_our_own_toolkit_needs_no_help():
    with pytest.raises(UserError, match='finds plugins by itself'):
        checkouts.checked(REPO)


def test_bytecode_that_git_would_show_is_not_written(checkout, tmp_path, monkeypatch):
    monkeypatch.delenv('PYTHONDONTWRITEBYTECODE', raising=False)
    assert not checkouts.writes_bytecode_unseen(checkout)
    assert command.environment_for(checkout)['PYTHONDONTWRITEBYTECODE'] == '1'
    (checkout / '.git' / 'info' / 'exclude').write_text('__pycache__/\n')
    assert checkouts.writes_bytecode_unseen(checkout)
    assert 'PYTHONDONTWRITEBYTECODE' not in command.environment_for(checkout)
    assert checkouts.writes_bytecode_unseen(tmp_path), 'without git nobody sees it'
    assert git(checkout, 'status', '--porcelain') == ''


def test_the_flag_may_stand_anywhere():
    assert command.split(['doctor', '--upstream', 'x']) == ('x', ['doctor'])
    assert command.split(['--upstream=x', 'train', 'a', 'b', '--up', 'c']) == ('x', ['train', 'a', 'b', '--up', 'c'])
    assert command.split(['train', 'upstream']) == (None, ['train', 'upstream'])


def test_flags_become_variables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, variables = command.training(['cmd_dimp', 'd3', '--data', 'a', '--data', 'b', '--lr-scale', '1000',
                                             '--cudnn_benchmark', '1', '--init', 'x.pth'])
    assert arguments == ['cmd_dimp', 'd3', '--cudnn_benchmark', '1']
    assert variables == {'CMD_DATA': os.pathsep.join(str(tmp_path / name) for name in 'ab'), 'CMD_LR_SCALE': '1000',
                         'CMD_INIT': str(tmp_path / 'x.pth')}
    arguments, variables = command.tracking(['cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', 'x',
                                             '--threads', '2'])
    assert arguments == ['cmd_dimp', 'default', '--threads', '2', '--dataset_name', 'lsotb_tir']
    assert variables == {'PYTRACKING_LSOTB_TIR_PATH': str(tmp_path / 'x')}


@pytest.mark.parametrize('arguments', [[], ['demo'], ['convert', 'x'], ['--help']])
def test_commands_that_need_our_own_toolkit(checkout, arguments):
    with pytest.raises(UserError, match='--upstream is for the commands train, track'):
        command.launch(checkout, arguments)


@pytest.mark.parametrize(('function', 'arguments', 'message'), [
    (command.training, ['cmd_dimp', 'd33'], "unknown train setting of cmd_dimp 'd33': did you mean 'd3'\\?"),
    (command.tracking, ['cmd_dimp', 'defalt'], "did you mean 'default'\\?"),
    (command.tracking, ['cmd_dimp', 'default', '--dataset', 'otb', '--data', 'x'], '--data is for the data sets')])
def test_wrong_arguments(function, arguments, message):
    with pytest.raises(UserError, match=message):
        function(arguments)
