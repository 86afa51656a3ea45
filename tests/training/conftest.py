"""Fixtures of the training tests: tiny networks through the plugin door, a workspace of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ltr.admin.settings import Settings


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
    """Whether two checkpoints, or parts of them, are equal bit for bit, types and order of keys included."""
    def compare(a: Any, b: Any) -> bool:
        if type(a) is not type(b):
            return False
        if isinstance(a, torch.Tensor):
            return a.dtype == b.dtype and torch.equal(a, b)
        if isinstance(a, dict):
            return list(a) == list(b) and all(compare(a[key], b[key]) for key in a)
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(map(compare, a, b))
        return compare(vars(a), vars(b)) if hasattr(a, '__dict__') else bool(a == b)
    return compare
