"""Small pair sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Writer = Callable[..., Path]


@pytest.fixture
def write(tmp_path) -> Writer:
    """`write('a/b.png', image)`: RGB (default: 12 x 8 noise), beneath `tmp_path`; gives the path."""
    rng = np.random.default_rng(0)

    def make(name: str, image: np.ndarray | None = None, channels: int = 3,
             size: tuple[int, int] = (8, 12)) -> Path:
        if image is None:
            image = rng.integers(0, 256, (*size, channels) if channels > 1 else size, dtype=np.uint8)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if image.ndim == 3 and image.shape[2] == 3:
            image = image[:, :, ::-1]
        ok, data = cv2.imencode(path.suffix, np.ascontiguousarray(image))
        assert ok
        path.write_bytes(data.tobytes())
        return path
    return make


@pytest.fixture
def write_pair(write) -> Callable[..., tuple[Path, Path]]:
    """`write_pair('set', '01.png')`: RGB and TIR twins in `set/visible` and `set/infrared`."""
    def make(folder: str, name: str, size: tuple[int, int] = (8, 12),
             tir_size: tuple[int, int] | None = None) -> tuple[Path, Path]:
        return (write(f'{folder}/visible/{name}', size=size),
                write(f'{folder}/infrared/{name}', channels=1, size=tir_size or size))
    return make
