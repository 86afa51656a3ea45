"""`attach` and `detach`: what they write, whom they concern, and that nothing is left."""

from __future__ import annotations

import os
import site
import subprocess
import venv
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.system.conftest import Result, clean_environment, one_line
from tests.upstream.conftest import changes
from tests.upstream.standin.build import git, set_paths

pytestmark = pytest.mark.skipif(os.name == 'nt', reason='the environment of the test is laid out for POSIX')
WHERE = """
import importlib.util, sys
print('finder', any(type(f).__name__ == 'Finder' for f in sys.meta_path))
for name in ('ltr', 'cmd_plugin'):
    spec = importlib.util.find_spec(name)
    print(name, spec and spec.origin)
"""


@pytest.fixture(scope='module')
def environment(tmp_path_factory) -> Path:
    """An environment of its own that sees the packages of this one, our editable installation included."""
    folder = tmp_path_factory.mktemp('venv') / 'v'
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    packages = next(folder.glob('lib/python*/site-packages'))
    lines = [f'import site; site.addsitedir({path!r})' for path in site.getsitepackages()]
    (packages / 'base.pth').write_text('\n'.join(lines) + '\n')
    return folder


def run(environment: Path, folder: Path, *arguments: object, **variables: str) -> Result:
    return subprocess.run([str(environment / 'bin' / 'python'), *map(str, arguments)], cwd=folder, capture_output=True,
                          text=True, timeout=600, env=clean_environment(**variables))


def plugin(environment: Path, *arguments: object) -> Result:
    return run(environment, REPO, '-m', 'cmd_plugin', *arguments)


def packages(environment: Path) -> set[str]:
    return {path.name for path in next(environment.glob('lib/python*/site-packages')).rglob('*') if path.is_file()}


def where(environment: Path, checkout: Path, **variables: str) -> list[str]:
    """What a script of the checkout finds; the file is one that git ignores."""
    (checkout / 'ltr' / 'admin' / 'local.py').write_text(WHERE)
    result = run(environment, checkout.parent, checkout / 'ltr' / 'admin' / 'local.py', **variables)
    assert result.returncode == 0 and not result.stderr, result.stderr
    return result.stdout.splitlines()


def test_there_and_back(environment, checkout, pristine, tmp_path):
    before = packages(environment)
    attached = plugin(environment, 'attach', checkout)
    assert attached.returncode == 0, attached.stderr
    for line in (f'attached: {checkout}, for', 'nothing in the checkout',
                 f'undo: python -m cmd_plugin detach {checkout}'):
        assert line in attached.stdout
    written = packages(environment) - before
    assert {name for name in written if not name.endswith('.pyc')} == {'cmd_plugin_attach.pth', 'cmd_plugin_attach.py'}
    assert all(name in attached.stdout for name in written)

    assert where(environment, checkout) == ['finder True', f'ltr {checkout / "ltr" / "__init__.py"}',
                                            f'cmd_plugin {REPO / "cmd_plugin" / "__init__.py"}']
    rude = where(environment, checkout, PYTHONPATH=str(REPO))
    assert rude[1] == f'ltr {checkout / "ltr" / "__init__.py"}', 'our own toolkit must not win, wherever it lies'
    for other in (pristine / 'ltr' / 'admin' / 'stats.py', REPO / 'cmd_plugin' / 'errors.py'):
        code = f'import runpy, sys; sys.argv = [{str(other)!r}]\n{WHERE}'
        assert run(environment, tmp_path, '-c', code).stdout.startswith('finder False')
    assert plugin(environment, 'recipes').stdout.startswith('cmd_dimp a1'), 'our own toolkit is as it was'

    assert plugin(environment, 'attach', checkout).returncode == 0, 'twice is once'
    detached = plugin(environment, 'detach', checkout)
    assert f'detached: {checkout}' in detached.stdout and 'cmd_plugin_attach.pth' in detached.stdout
    assert packages(environment) == before
    assert where(environment, checkout)[0] == 'finder False'
    assert changes(checkout) == ''


@pytest.mark.slow
def test_two_checkouts(environment, checkout, pristine, tmp_path):
    other = tmp_path / 'other'
    git(pristine, 'clone', '-q', str(pristine), str(other))
    set_paths(other, tmp_path / 'ws')
    for folder in (checkout, other):
        assert plugin(environment, 'attach', folder).returncode == 0
    assert where(environment, other)[1] == f'ltr {other / "ltr" / "__init__.py"}'
    told = run(environment, REPO, '-c', 'from cmd_plugin.upstream.report import lines; print(*lines())').stdout
    assert f'attached to this Python: {other} ' in told and str(checkout) in told
    assert plugin(environment, 'detach', other).stdout.splitlines()[1].startswith('changed: ')
    assert where(environment, other)[0] == 'finder False' and where(environment, checkout)[0] == 'finder True'
    assert plugin(environment, 'detach', checkout).stdout.splitlines()[1].startswith('removed: ')


def test_bad_input(environment, checkout, tmp_path):
    (tmp_path / 'file').touch()
    assert 'is not a directory' in one_line(plugin(environment, 'attach', tmp_path / 'file'))
    assert 'is not there' in one_line(plugin(environment, 'attach', tmp_path / 'absent'))
    assert 'is not a checkout of the toolkit' in one_line(plugin(environment, 'attach', tmp_path))
    assert 'finds plugins by itself' in one_line(plugin(environment, 'attach', REPO))
    assert 'is not attached to' in one_line(plugin(environment, 'detach', checkout))


def test_an_environment_that_cannot_be_written(checkout, monkeypatch, tmp_path):
    from cmd_plugin.errors import UserError
    from cmd_plugin.upstream import attaching
    (tmp_path / 'file').touch()
    monkeypatch.setattr(attaching, 'folder', lambda: tmp_path / 'file')
    with pytest.raises(UserError, match='Not a directory; use a virtual environment'):
        attaching.attach(checkout)


def test_a_changed_pth_file_is_told(monkeypatch, tmp_path):
    from cmd_plugin.errors import UserError
    from cmd_plugin.upstream import attaching
    monkeypatch.setattr(attaching, 'folder', lambda: tmp_path)
    assert attaching.checkouts() == {}
    attaching.files()[0].write_text('import something\n')
    with pytest.raises(UserError, match='is not as it was written'):
        attaching.checkouts()


@pytest.mark.slow
def test_the_stock_command_lines(environment, checkout, small_network, distilled_dimp18, thermal, world_pairs,
                                 tmp_path):
    """attach, train, track with two spawned processes, detach: all by the stock commands, and git sees nothing."""
    assert plugin(environment, 'attach', checkout).returncode == 0
    pairs = {'CMD_DATA': str(world_pairs), 'CMD_INIT': str(small_network), 'CMD_EPOCHS': '1', 'CMD_SAMPLES': '4',
             'CMD_BATCH': '2', 'CMD_WORKERS': '0', 'CMD_DEVICE': 'cpu'}
    trained = run(environment, checkout, 'ltr/run_training.py', 'cmd_dimp', 'd3', **pairs)
    assert trained.returncode == 0, trained.stderr
    assert (tmp_path / 'ws/checkpoints/ltr/cmd_dimp/d3/DiMPnet_ep0001.pth.tar').is_file()
    own = run(environment, checkout, '-m', 'ltr.run_training', 'dimp', 'own')
    assert 'own setting' in own.stdout, own.stderr
    tracked = run(environment, checkout / 'pytracking', 'run_tracker.py', 'cmd_dimp', 'default', '--dataset_name',
                  'lsotb_tir', '--threads', '2', CMD_NETWORK=str(distilled_dimp18),
                  PYTRACKING_LSOTB_TIR_PATH=str(thermal))
    assert tracked.returncode == 0, tracked.stderr
    results = tmp_path / 'ws' / 'results' / 'cmd_dimp' / 'default'
    assert sorted(path.name for path in results.glob('*')) == [
        'cat_S_001.txt', 'cat_S_001_time.txt', 'dog_V_002.txt', 'dog_V_002_time.txt']
    assert plugin(environment, 'detach', checkout).returncode == 0
    assert changes(checkout) == ''
    after = run(environment, checkout, 'ltr/run_training.py', 'cmd_dimp', 'd3', **pairs, PYTHONDONTWRITEBYTECODE='1')
    assert "No module named 'ltr.train_settings.cmd_dimp'" in after.stderr
    assert changes(checkout) == ''
