"""Command lines as a user types them, each in a process of its own and a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import REPO

Result = subprocess.CompletedProcess[str]
TRAIN, TRACK = str(REPO / 'ltr' / 'run_training.py'), str(REPO / 'pytracking' / 'run_tracker.py')


def clean_environment(**variables: str) -> dict[str, str]:
    """The user's, without settings of this project, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(('CMD_', 'PYTRACKING_'))}
    return {**kept, 'OMP_NUM_THREADS': '1', **variables}


def one_line(result: Result) -> str:
    """The error of a command that failed as it should: status 2, one line that starts with `error:`, at the end."""
    errors = [line for line in result.stderr.splitlines() if line.startswith('error:')]
    assert result.returncode == 2, result.stderr
    assert len(errors) == 1 and result.stderr.endswith(errors[0] + '\n'), result.stderr
    assert 'Traceback' not in result.stderr + result.stdout
    return errors[0]


def run(folder: Path, *arguments: str | Path, **variables: str) -> Result:
    """Run a script, or a module given as '-m', NAME, from `folder`; the workspace is `ws` there."""
    variables = {'PYTRACKING_WORKSPACE_DIR': str(folder / 'ws'), **variables}
    if arguments[0] == '-m':  # scripts find their packages by themselves
        variables['PYTHONPATH'] = str(REPO)
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          env=clean_environment(**variables), timeout=300)


@pytest.fixture
def clean(monkeypatch, tmp_path) -> None:
    """For commands in the test's own process: no settings of the user's, a workspace `ws` in the folder of the test."""
    for name in list(os.environ):
        if name.startswith(('CMD_', 'PYTRACKING_')) and name != 'CMD_SHARED_DATA':
            monkeypatch.delenv(name)
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'ws'))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(tmp_path) -> Callable[..., Result]:
    """`run` in the folder of the test."""
    return partial(run, tmp_path)
