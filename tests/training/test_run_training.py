"""The command line of training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltr import run_training
from ltr.admin.errors import UserError

REPO = Path(__file__).resolve().parents[2]


def script(*arguments: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).parent), 'OMP_NUM_THREADS': '1'}
    return subprocess.run([sys.executable, str(REPO / 'ltr' / 'run_training.py'), *arguments],
                          env=environment, capture_output=True, text=True, timeout=120, **kwargs)


def test_flags_reach_the_settings_file_and_the_path_is_mended(tmp_path):
    """As a script, from inside ltr/: the root comes first, and ltr's own folders hide no other package."""
    result = script('tiny', 'show', '--data', 'a', '--data', 'b', '--init', 'w.pth.tar', '--net', 'dimp18',
                    '--epochs', '3', '--samples', '40', '--batch', '2', '--lr-scale', '0.5',
                    '--device', 'cpu', '--seed', '7', '--workers', '0', '--workspace', str(tmp_path / 'w'),
                    cwd=REPO / 'ltr')
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    expected = {'data': ['a', 'b'], 'init': 'w.pth.tar', 'net': 'dimp18', 'epochs': 3, 'samples': 40,
                'batch': 2, 'lr_scale': 0.5, 'device': 'cpu', 'seed': 7, 'workers': 0, 'module_name': 'tiny',
                'script_name': 'show', 'project_path': 'ltr/tiny/show', 'first_path': str(REPO), 'sees': [],
                'workspace': str(tmp_path / 'w')}
    assert {key: seen[key] for key in expected} == expected


def test_a_mistake_is_one_line_and_status_2():
    result = script('tiny', 'plian')
    assert result.returncode == 2 and result.stdout == ''
    assert result.stderr == ("error: unknown train setting of tiny 'plian': did you mean 'plain'? "
                             "known: broken, norun, plain, show\n")


def test_no_flags_means_none(capsys):
    run_training.main(['tiny', 'show'])
    seen = json.loads(capsys.readouterr().out)
    assert all(seen[name] is None for name in run_training.FLAGS if name not in ('device', 'seed'))
    assert seen['device'] == 'auto' and seen['seed'] == 0


def test_unknown_names():
    with pytest.raises(UserError, match=r"did you mean 'tiny'.*known: .*tiny"):
        run_training.run_training('tinny', 'plain')
    with pytest.raises(UserError, match=r"'_shared'"):
        run_training.run_training('tiny', '_shared')
    with pytest.raises(UserError, match=r'norun.py has no function run'):
        run_training.run_training('tiny', 'norun')
    with pytest.raises(TypeError, match='colour'):
        run_training.run_training('tiny', 'plain', colour=1)


def test_an_import_error_of_the_settings_file_comes_through():
    with pytest.raises(ModuleNotFoundError, match='a_module_that_does_not_exist'):
        run_training.run_training('tiny', 'broken')


@pytest.mark.parametrize('flags', [
    ['--epochs', '0'], ['--batch', '-1'], ['--lr-scale', 'nan'], ['--lr-scale', '0'], ['--workers', '-1'],
    ['--seed', '-3'], ['--samples', 'x']])
def test_flags_out_of_range(flags, capsys):
    with pytest.raises(SystemExit) as stopped:
        run_training.main(['tiny', 'plain', *flags])
    assert stopped.value.code == 2
    assert flags[0] in capsys.readouterr().err


def test_device_that_is_not_there(monkeypatch):
    import torch
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    from ltr.admin.settings import Settings
    settings = Settings()
    settings.device = 'cuda'
    from tiny_training import make_trainer
    with pytest.raises(UserError, match="device 'cuda' is not available"):
        make_trainer(settings)
