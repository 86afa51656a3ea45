"""`python -m cmd_plugin doctor`, on this machine and on one that has nothing installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cmd_plugin import doctor
from tests.conftest import REPO
from tests.system.conftest import clean_environment, one_line

BARE = 'import sys; sys.path.insert(0, {repo!r}); sys.argv[1:] = ["doctor"]; from cmd_plugin.cli import entry; entry()'


def test_it_lists_what_is_in_use(command, tmp_path):
    result = command('-m', 'cmd_plugin', 'doctor', PYTRACKING_LSOTB_TIR_PATH=str(tmp_path), CMD_DATA='nowhere')
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line.strip() for line in result.stdout.splitlines()]
    import torch
    for expected in (f'ltr: {REPO / "ltr"}', f'pytracking: {REPO / "pytracking"}', f'cmd_plugin: {REPO / "cmd_plugin"}',
                     'trackers: atom, cmd_atom, cmd_dimp, cmd_kys, cmd_prdimp, cmd_super_dimp, cmd_tomp, dimp, kys, '
                     'tomp',
                     'train_settings: bbreg, cmd_atom, cmd_dimp, cmd_kys, cmd_prdimp, cmd_super_dimp, cmd_tomp, dimp, '
                     'kys, tomp',
                     'cmd_dimp: none below ',
                     f'torch: {torch.__version__.split("+")[0]}', f'data set lsotb_tir: {tmp_path}',
                     'training pairs: nowhere (does not exist)',
                     'data set ptb_tir: not set (PYTRACKING_PTB_TIR_PATH, or --data DIR)'):
        assert any(line.startswith(expected) for line in lines), f'{expected!r} not in {result.stdout}'
    assert 'MISSING' not in result.stdout and 'BROKEN' not in result.stdout
    assert any(line.startswith('cpu, ') for line in lines)
    assert 'the first step is python ltr/run_training.py cmd_dimp a1' in result.stdout


def test_on_a_bare_interpreter_it_tells_what_is_missing(tmp_path):
    """-I -S: no site-packages, no variables; a clone that nobody has installed."""
    result = subprocess.run([sys.executable, '-I', '-S', '-c', BARE.format(repo=str(REPO))], cwd=tmp_path, text=True,
                            capture_output=True, env=clean_environment(), timeout=60)
    assert result.returncode == 1 and result.stderr == ''
    for name in doctor.REQUIRED:
        assert f'  {"opencv" if name == "cv2" else name}: MISSING\n' in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith('missing or broken, needed by everything: torch, ') and last.endswith('run ./install.sh')
    assert not list(tmp_path.iterdir()), 'looking must leave nothing behind'


def test_a_package_that_does_not_import_is_not_called_present(tmp_path, monkeypatch, capsys):
    """As with builds that do not fit one another (a CPU build of torch under another torchvision)."""
    (tmp_path / 'odd_vision.py').write_text('raise RuntimeError("operator nms does not exist")\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(doctor, 'REQUIRED', ('numpy', 'odd_vision'))
    assert doctor.report() == 1
    out = capsys.readouterr().out
    assert 'odd_vision: BROKEN: RuntimeError: operator nms does not exist' in out
    assert 'missing or broken, needed by everything: odd_vision;' in out


def test_it_shows_the_newest_network_of_each_recipe(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    folder = tmp_path / 'checkpoints' / 'ltr' / 'cmd_dimp' / 'c1'
    folder.mkdir(parents=True)
    for epoch in (1, 2):
        (folder / f'DiMPnet_ep{epoch:04d}.pth.tar').touch()
    assert doctor.report() == 0
    out = capsys.readouterr().out
    assert f'  cmd_dimp c1: {folder / "DiMPnet_ep0002.pth.tar"}\n' in out and '  cmd_dimp b1: missing\n' in out


def test_recipes_are_listed(command):
    from cmd_plugin.recipes import RECIPES
    result = command('-m', 'cmd_plugin', 'recipes')
    assert [tuple(line.split()[:2]) for line in result.stdout.splitlines()] == [
        (tracker, name) for tracker, recipes in RECIPES.items() for name in recipes]


@pytest.mark.parametrize('arguments', [['recipe'], ['demo', '--seeds', '0'], ['demo', '--size', 'large'], []])
def test_a_wrong_command_line_shows_the_usage(arguments, capsys):
    from cmd_plugin import cli
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2 and 'usage: python -m cmd_plugin' in capsys.readouterr().err


def test_a_malformed_plugin_variable_is_one_line(command):
    assert 'PYTRACKING_PLUGINS' in one_line(command('-m', 'cmd_plugin', 'doctor', PYTRACKING_PLUGINS='oops'))
