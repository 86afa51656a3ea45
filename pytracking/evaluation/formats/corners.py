"""Boxes as four corners, and back."""

from __future__ import annotations

import numpy as np


def enclosing(corners: np.ndarray) -> np.ndarray:
    """The smallest upright boxes around four points.

    A turned rectangle becomes larger by this: benchmarks of turned boxes are not reproduced by it.

    Args:
        corners: (n, 8), x1 y1 x2 y2 x3 y3 x4 y4, image px, in any order.

    Returns:
        (n, 4) `xywh`, image px; NaN where a number is NaN.

    >>> enclosing(np.array([[5., 0., 10., 5., 5., 10., 0., 5.]])).tolist()
    [[0.0, 0.0, 10.0, 10.0]]
    """
    points = corners.reshape(-1, 4, 2)
    low, high = points.min(axis=1), points.max(axis=1)
    boxes = np.concatenate([low, high - low], axis=1)
    boxes[np.isnan(corners).any(axis=1)] = np.nan
    return boxes


def corners_of(boxes: np.ndarray) -> np.ndarray:
    """(n, 4) `xywh` -> (n, 8), clockwise from the top left."""
    x, y, w, h = boxes.T
    return np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1)
