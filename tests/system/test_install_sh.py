"""`install.sh` without an installation: its syntax and its words."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPO

pytestmark = pytest.mark.skipif(shutil.which('sh') is None, reason='no POSIX shell here')
SCRIPT = REPO / 'install.sh'


def sh(script: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(['sh', str(script), *arguments], capture_output=True, text=True, timeout=60, **options)


def test_syntax():
    result = subprocess.run(['sh', '-n', str(SCRIPT)], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, '')
    assert os.access(SCRIPT, os.X_OK)


def test_an_unknown_command_is_one_line_and_status_2(tmp_path):
    result = sh(SCRIPT, 'nonsense', cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, '')
    assert result.stderr == "error: unknown command 'nonsense': use install, demo or test\n"


def test_without_python_it_says_how_to_name_one(tmp_path):
    """On a copy, since it would make its environment beside itself."""
    for name in ('install.sh', 'setup.py'):
        shutil.copy(REPO / name, tmp_path)
    result = sh(tmp_path / 'install.sh', 'install', env={**os.environ, 'PYTHON': 'no-such-python'})
    assert result.returncode == 2 and result.stderr.count('\n') == 1
    assert result.stderr.startswith('error: no Python >= 3.10 found')
    assert 'PYTHON=' in result.stderr
    assert not (tmp_path / '.venv').exists()
