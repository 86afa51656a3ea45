"""Small labelled folders made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Writer of a sequence in LSOTB layout: `make_video('a', rows)`; frame i is 64 x 48 px of value i."""
    def write(name: str, rows: Sequence[str], frames: int | None = None, root: Path | None = None) -> Path:
        folder = (root or tmp_path / 'videos') / name
        (folder / 'img').mkdir(parents=True)
        for i in range(len(rows) if frames is None else frames):
            image = np.full((48, 64, 3), i, np.uint8)
            assert cv2.imwrite(str(folder / 'img' / f'{i + 1}.png'), image)
        (folder / 'groundtruth_rect.txt').write_text('\n'.join(rows) + '\n', encoding='utf-8')
        return folder
    return write


@pytest.fixture
def video_root(make_video: Callable[..., Path], tmp_path: Path) -> Path:
    """Two usable sequences of 30 frames."""
    for name in ('first', 'second'):
        make_video(name, [f'{10 + i % 5},{8},{12},{10}' for i in range(30)])
    return tmp_path / 'videos'
