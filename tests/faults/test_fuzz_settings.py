"""`local.py`, settings and parameters that are broken: told in one line, and never written to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ltr.admin import environment, users_code
from ltr.admin.errors import UserError
from ltr.run_training import find_settings
from pytracking.evaluation import Tracker
from pytracking.evaluation.environment import local_env_settings
from tests.conftest import REPO
from tests.faults.fuzzing import TALLY, attempt

GOOD = ('import os\nfrom pathlib import Path\nclass EnvironmentSettings:\n    def __init__(self):\n'
        '        self.workspace_dir = {}\n        self.tensorboard_dir = None\n')
BROKEN = {'syntax': 'class EnvironmentSettings(:\n', 'half': GOOD.format('Path("x"'), 'empty': '',
          'tabs': 'if 1:\nx = 1\n',
          'no such name': 'EnvironmentSetings = 1\n',
          'an import': 'import no_such_module_at_all\n' + GOOD.format('"x"'),
          'zero division': '1 / 0\n', 'no class': 'EnvironmentSettings = 3\n', 'a number': GOOD.format('3'),
          'none': GOOD.format('None'), 'nothing': GOOD.format('""'), 'a list': GOOD.format('["a"]'),
          'bytes': GOOD.format('b"a"'), 'unknown name': GOOD.format('workspace'), 'missing': GOOD.format('1').replace(
              'workspace_dir', 'workspace'), 'raises': GOOD.format('[][1]'), 'system exit': GOOD.format('int("x")'),
          'null byte': 'a = "\0"\n', 'not utf-8': 'a = "\udcff"\n', 'recursion': 'def f(): f()\nf()\n',
          'no tensorboard': GOOD.format('"x"').replace('tensorboard_dir', 'board')}
RESULTS = {'syntax': 'def local_env_settings(:\n', 'empty': '', 'none': 'def local_env_settings():\n    return None\n',
           'a number': 'class S:\n    results_path = 1\n    network_path = "a"\n    result_plot_path = "b"\n'
                       'def local_env_settings():\n    s = S()\n    s.results_path = 1\n    return s\n',
           'a list of numbers': 'class S:\n    results_path = "1"\n    network_path = "a"\n    result_plot_path = "b"\n'
                                'def local_env_settings():\n    s = S()\n    s.network_path = [1]\n    return s\n',
           'missing': 'class S:\n    pass\ndef local_env_settings():\n    return S()\n',
           'raises': 'def local_env_settings():\n    raise KeyError("x")\n'}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """`module(name, text)`: a file that can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> Path:
        path = tmp_path / f'{name}.py'
        path.write_bytes(text.encode('utf-8', 'surrogateescape'))
        sys.modules.pop(name, None)
        return path
    return write


@pytest.mark.parametrize('case', list(BROKEN))
def test_broken_folders_of_the_machine(module, monkeypatch, case):
    path = module('users_local', BROKEN[case])
    before = path.read_bytes()
    monkeypatch.setattr(environment, 'LOCAL', 'users_local')
    assert attempt('local.py', environment.env_settings, path) is None
    assert path.read_bytes() == before


def test_a_sound_one_is_taken(module, monkeypatch):
    module('users_local', GOOD.format('Path("/somewhere")'))
    monkeypatch.setattr(environment, 'LOCAL', 'users_local')
    assert environment.env_settings().workspace_dir == Path('/somewhere')


@pytest.mark.parametrize('case', list(RESULTS))
def test_broken_folders_of_results(module, monkeypatch, case):
    path = module('users_results', RESULTS[case])
    monkeypatch.setattr('pytracking.evaluation.environment.LOCAL', 'users_results')
    assert attempt('local.py', local_env_settings, path) is None


def test_an_error_names_its_line(module):
    path = module('users_own', 'x = 1\ny = x +\n')
    with pytest.raises(UserError, match=r'users_own\.py, line 2: SyntaxError: .*; correct that file'):
        users_code.import_users('users_own')
    path.write_text('x = 1\n\ny = z\n')
    with pytest.raises(UserError, match=r'users_own\.py, line 3: NameError: .*z.*; correct that file'):
        users_code.import_users('users_own')
    path.write_text('import no_such_module_at_all\n')
    with pytest.raises(ModuleNotFoundError, match='no_such_module_at_all'):
        users_code.import_users('users_own')


@pytest.mark.parametrize(('text', 'says'), [
    ('def run(settings:\n', r'mine\.py, line 1: SyntaxError'), ('run = 3\n', 'no function run'),
    ('', 'no function run'),
    ('x = undefined\n', r'mine\.py, line 1: NameError'),
    ('raise ValueError("a\\nb")\n', r'mine\.py, line 1: ValueError: a b')])
def test_broken_settings_files(tmp_path, monkeypatch, text, says):
    package = _package(tmp_path, monkeypatch, 'my_settings', text)
    monkeypatch.setattr('ltr.admin.plugins.load', lambda group, name: package)
    with pytest.raises(UserError, match=says):
        find_settings('my', 'mine')
    assert attempt('settings and parameters', lambda: find_settings('my', 'mine'), tmp_path / 'mine.py') is None


@pytest.mark.parametrize(('text', 'says'), [
    ('def parameters(:\n', r'mine\.py, line 1: SyntaxError'), ('', r'no function parameters\(\)'),
    ('x = undefined\n', 'NameError'), ('def parameters():\n    return None\n', 'must give TrackerParams, not NoneType'),
    ('def parameters():\n    return {}\n', 'must give TrackerParams, not dict')])
def test_broken_parameter_files(tmp_path, monkeypatch, text, says):
    package = _package(tmp_path, monkeypatch, 'my_parameters', text)
    monkeypatch.setattr('ltr.admin.plugins.load', lambda group, name: package)
    tracker = Tracker('my', 'mine', results_path=tmp_path)
    with pytest.raises(UserError, match=says):
        tracker.get_parameters()
    assert attempt('settings and parameters', tracker.get_parameters, tmp_path / 'mine.py') is None


def _package(root: Path, monkeypatch, name: str, text: str):
    (root / name).mkdir()
    (root / name / '__init__.py').write_text('')
    (root / name / 'mine.py').write_text(text)
    monkeypatch.syspath_prepend(str(root))
    for known in [known for known in sys.modules if known.split('.')[0] == name]:
        del sys.modules[known]
    return __import__(name)


@pytest.mark.slow
@pytest.mark.parametrize(('file', 'program'), [
    ('ltr/admin/local.py', ('ltr/run_training.py', 'dimp', 'dimp50')),
    ('ltr/admin/local.py', ('pytracking/run_tracker.py', 'dimp', 'dimp50')),
    ('pytracking/evaluation/local.py', ('pytracking/run_tracker.py', 'dimp', 'dimp50')),
    ('ltr/admin/local.py', ('-m', 'cmd_plugin', 'detect', '--pairs', '.', '--model', 'x.onnx'))])
def test_the_commands_tell_it_in_one_line_and_leave_the_file(tmp_path, file, program):
    """In a copy of the toolkit: a broken file is told, and is as it was."""
    for part in ('ltr', 'pytracking', 'cmd_plugin'):
        shutil.copytree(REPO / part, tmp_path / part, ignore=shutil.ignore_patterns('__pycache__'))
    broken = 'class EnvironmentSettings(:\n'
    (tmp_path / file).write_text(broken)
    result = subprocess.run([sys.executable, *program], cwd=tmp_path, capture_output=True, text=True,
                            env={'PATH': '', 'PYTHONPATH': str(tmp_path), 'PYTRACKING_PLUGINS': ''}, timeout=300)
    assert 'Traceback' not in result.stderr and (tmp_path / file).read_text() == broken
    assert result.returncode == 2 and result.stderr.startswith('error: ') and result.stderr.count('\n') == 1


def test_enough_cases(capsys):
    assert TALLY.cases('local.py') >= 25
    with capsys.disabled():
        print('\n' + TALLY.table())
