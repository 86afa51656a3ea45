"""Small sequences on disk, and the dummy tracker of `dummy_plugin.py`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

REPO = Path(__file__).resolve().parents[2]


def write_frames(folder: Path, names: list[str], width: int = 40) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(0).integers(0, 255, (24, width, 3), dtype=np.uint8)
    for name in names:
        assert cv2.imwrite(str(folder / name), image)


def write_sequence(folder: Path, boxes: list, width: int = 40, separator: str = ',',
                   names: list[str] | None = None) -> Path:
    """LSOTB layout: one frame a box."""
    write_frames(folder / 'img', names or [f'{i + 1:04d}.png' for i in range(len(boxes))], width)
    lines = [separator.join(f'{value:g}' for value in box) for box in boxes]
    (folder / 'groundtruth_rect.txt').write_text('\n'.join(lines) + '\n')
    return folder


def box_path(count: int = 5, step: float = 0.5) -> list[tuple[float, float, float, float]]:
    return [(5 + step * i, 6 + step * i, 8, 9) for i in range(count)]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No user setting reaches a test; returns the workspace."""
    import os
    for name in list(os.environ):
        if name.startswith('PYTRACKING_'):
            monkeypatch.delenv(name)
    workspace = tmp_path_factory.mktemp('workspace')
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(workspace))
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tests=tests.evaluation.dummy_plugin')
    return workspace
