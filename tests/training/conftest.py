"""Fixtures of the training tests: tiny networks through the plugin door, a workspace of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
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


@pytest.fixture
def videos(tmp_path: Path, rng: np.random.Generator) -> Path:
    """One sequence of 24 frames with a bright square that moves to the right."""
    folder = tmp_path / 'videos' / 'square'
    (folder / 'img').mkdir(parents=True)
    for index in range(24):
        image = rng.integers(0, 100, (96, 128, 3), dtype=np.uint8)
        image[40:60, 20 + 2 * index:40 + 2 * index] = 230
        cv2.imwrite(str(folder / 'img' / f'{index + 1:04d}.jpg'), image)
    boxes = '\n'.join(f'{20 + 2 * index},40,20,20' for index in range(24))
    (folder / 'groundtruth_rect.txt').write_text(boxes + '\n')
    return folder.parent
