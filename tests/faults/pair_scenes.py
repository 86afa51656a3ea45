"""Drawn pairs whose shift is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

HEIGHT, WIDTH = 192, 256


def scene(seed: int, shift: tuple[float, float] = (0.0, 0.0), moved: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """RGB and TIR of a scene of ellipses: the edges are the same, brightness is not; TIR lies `shift` px beside RGB."""
    rng = np.random.default_rng(seed)
    rgb, tir = np.full((HEIGHT, WIDTH, 3), 90, np.uint8), np.full((HEIGHT, WIDTH), 110, np.uint8)
    for number in range(60):
        centre = (int(rng.integers(WIDTH) + moved * (number == 59)), int(rng.integers(HEIGHT)))
        shape = (centre, (int(rng.integers(6, 30)), int(rng.integers(6, 30))), float(rng.uniform(0, 180)), 0, 360)
        cv2.ellipse(rgb, *shape, tuple(map(int, rng.integers(0, 256, 3))), -1, cv2.LINE_AA)
        cv2.ellipse(tir, *shape, int(rng.integers(0, 256)), -1, cv2.LINE_AA)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    tir = cv2.warpAffine(cv2.GaussianBlur(tir, (0, 0), 1), matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    noise = rng.normal(0, 3, tir.shape)
    return rgb, (tir + noise).clip(0, 255).astype(np.uint8)


def write_pair(root: Path, name: str, rgb: np.ndarray, tir: np.ndarray) -> None:
    for half, image in (('visible', rgb[..., ::-1]), ('infrared', tir)):
        (root / half).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(root / half / name), image)
