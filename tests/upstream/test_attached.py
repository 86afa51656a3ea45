"""Which process uses a checkout is decided by the script that it runs, and by its parent."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cmd_plugin.upstream import attached
from tests.conftest import REPO
from tests.system.conftest import clean_environment


@pytest.fixture
def two(tmp_path, monkeypatch):
    for name in ('a', 'ab'):
        (tmp_path / name / 'ltr').mkdir(parents=True)
    monkeypatch.delenv(attached.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return [os.path.realpath(tmp_path / name) for name in ('a', 'ab')]


def chosen(checkouts, *command):
    """As at the start of `python COMMAND`."""
    argv = ['-m', *command[2:]] if command[0] == '-m' else ['-c', *command[2:]] if command[0] == '-c' else command
    return attached.chosen(checkouts, list(argv), ['python', *command])


def test_a_script_chooses_the_checkout_that_it_lies_in(two, tmp_path):
    assert chosen(two, 'a/ltr/run.py', 'x') == two[0]
    assert chosen(two, str(tmp_path / 'a' / '..' / 'ab' / 'run.py')) == two[1]
    assert chosen(two, 'abc/run.py') is None and chosen(two, '../run.py') is None


def test_a_link_to_a_checkout_is_the_checkout(two, tmp_path):
    (tmp_path / 'link').symlink_to(two[1])
    assert chosen(two, 'link/ltr/run.py') == two[1]


def test_a_module_of_the_toolkit_chooses_by_the_current_folder(two, monkeypatch):
    assert chosen(two, '-m', 'ltr.run_training') is None
    monkeypatch.chdir(two[0])
    assert chosen(two, '-m', 'ltr.run_training', 'dimp') == two[0]
    assert chosen(two, '-m', 'pytracking.run_tracker') == two[0] and chosen(two, '-m', 'cmd_plugin') == two[0]
    assert chosen(two, '-m', 'pip') is None
    assert chosen(two, '-') is None


def test_a_child_has_it_from_its_parent_and_nobody_else(two, monkeypatch):
    monkeypatch.setenv(attached.VARIABLE, two[0])
    assert chosen(two, '-c', 'spawn_main()') == two[0]
    assert chosen(two, 'elsewhere.py') is None
    monkeypatch.setenv(attached.VARIABLE, 'never attached')
    assert chosen(two, '-c', 'spawn_main()') is None


def test_a_plugin_that_has_gone_is_told_and_harms_nobody(two, tmp_path):
    start = f'import sys; sys.argv = [{two[0] + "/run.py"!r}]; from cmd_plugin.upstream.attached import look; '
    code = start + f'look({str(tmp_path)!r}, {{{two[0]!r}: True}}); print(*[type(f).__name__ for f in sys.meta_path])'
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=tmp_path,
                            env=clean_environment(PYTHONPATH=str(REPO)))
    assert result.returncode == 0 and 'Finder' not in result.stdout.split()
    assert result.stderr.startswith('warning: ') and 'remove cmd_plugin_attach.pth' in result.stderr
