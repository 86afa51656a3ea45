"""Fixtures of the training tests: tiny networks through the plugin door, a workspace of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ltr.admin.settings import Settings
from tests import equality


@pytest.fixture(autouse=True)
def tiny_plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tiny=tiny_training')
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'workspace'))


@pytest.fixture
def settings() -> Settings:
    settings = Settings()
    settings.device = 'cpu'
    settings.project_path = 'ltr/tiny/plain'
    return settings


@pytest.fixture
def same() -> Callable[[Any, Any], bool]:
    """See `tests.equality.same`."""
    return equality.same
