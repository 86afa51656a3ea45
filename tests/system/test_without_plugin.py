"""The toolkit stands by itself: with `cmd_plugin` deleted, stock training and tracking work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.system.conftest import Result, clean_environment

# An installation whose folder was deleted: it still declares its entry points, and none of them can be imported.
# It also tells at the end where the toolkit came from.
SITE = """
import atexit, sys
class Deleted:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'cmd_plugin':
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Deleted())
atexit.register(lambda: print('used:', *[sys.modules[name].__file__ for name in ('ltr', 'pytracking')
                                         if name in sys.modules]))
"""


@pytest.fixture(scope='module')
def toolkit(tmp_path_factory) -> Path:
    """A copy of the two packages alone."""
    folder = tmp_path_factory.mktemp('toolkit')
    for name in ('ltr', 'pytracking'):
        shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
    (folder / 'site').mkdir()
    (folder / 'site' / 'sitecustomize.py').write_text(SITE)
    return folder


def run(toolkit: Path, *arguments: object) -> Result:
    environment = clean_environment(PYTHONPATH=str(toolkit / 'site'), PYTRACKING_WORKSPACE_DIR=str(toolkit / 'ws'))
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=toolkit, capture_output=True, text=True,
                          env=environment, timeout=300)


def test_the_plugin_is_really_gone(toolkit):
    assert 'No module named' in run(toolkit, '-c', 'import cmd_plugin').stderr


def test_stock_training_and_tracking_work_without_it(toolkit, world_video):
    trained = run(toolkit, toolkit / 'ltr' / 'run_training.py', 'dimp', 'dimp_small', '--data', world_video,
                  '--epochs', '1', '--samples', '8', '--batch', '4', '--workers', '0', '--device', 'cpu')
    assert trained.returncode == 0, trained.stderr
    assert '[train 1: 2/2]' in trained.stdout
    network = toolkit / 'ws' / 'checkpoints' / 'ltr' / 'dimp' / 'dimp_small' / 'DiMPnet_ep0001.pth.tar'
    (toolkit / 'ws' / 'networks').mkdir()
    shutil.copy(network, toolkit / 'ws' / 'networks' / 'dimp_small.pth.tar')
    tracked = run(toolkit, toolkit / 'pytracking' / 'run_tracker.py', 'dimp', 'dimp_small', '--data', world_video,
                  '--max-frames', '3')
    assert tracked.returncode == 0, tracked.stderr
    assert 'protocol lsotb, 2 sequences, 6 frames' in tracked.stdout
    assert len(list((toolkit / 'ws' / 'tracking_results' / 'dimp' / 'dimp_small').glob('*_time.txt'))) == 2
    for result in (trained, tracked):
        used = result.stdout.splitlines()[-1].split()[1:]
        assert used and all(Path(file).is_relative_to(toolkit) for file in used), result.stdout


def test_what_it_declared_fails_by_its_own_name(toolkit):
    """A broken neighbour: only who asks for it meets it."""
    result = run(toolkit, toolkit / 'ltr' / 'run_training.py', 'cmd_dimp', 'd3')
    assert result.returncode == 1 and "No module named 'cmd_plugin" in result.stderr
