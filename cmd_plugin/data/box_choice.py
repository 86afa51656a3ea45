"""Which of the detected boxes may be a pseudo box: overlap between the modalities, and the rule of selection.

Source: CMD paper, "paired patches generation"; the numbers are those of the released boxes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OVERLAP = 0.8
OTHERS = 2
MOST = 5
LEAST_SIDE = 1.0
"""Pixels; what is left of a box inside its image and is thinner has no area."""

Floats = NDArray[np.floating]


def clip_boxes(boxes: Floats, size: tuple[int, int]) -> tuple[Floats, NDArray[np.intp]]:
    """Clip boxes to their image.

    Args:
        boxes: `(n, 4)`, `xyxy`, image px.
        size: `(height, width)`.

    Returns:
        `(k, 4)` clipped boxes of those that mark something of the image, and their places in `boxes`.
    """
    height, width = size
    clipped = np.clip(boxes, 0, (width, height, width, height))
    kept = np.flatnonzero((clipped[:, 2:] - clipped[:, :2] >= LEAST_SIDE).all(axis=1))
    return clipped[kept], kept


def suppress(boxes: Floats, scores: Floats, overlap: float) -> NDArray[np.intp]:
    """Of boxes that overlap by more than `overlap`, keep the more confident.

    Args:
        boxes: `(n, 4)`, `xyxy`.
        scores: `(n,)`; of equal ones the first in order is kept.
        overlap: intersection over union.

    Returns:
        Places of what is kept, the most confident first.
    """
    order = np.argsort(-scores, kind='stable')
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        low, high = np.maximum(boxes[first, :2], boxes[rest, :2]), np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        order = rest[shared <= overlap * (areas[first] + areas[rest] - shared)]
    return np.array(kept, np.intp)


def choose_boxes(boxes: Floats, scores: Floats, persons: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The boxes of both halves of one pair that may be its pseudo box.

    Of boxes that overlap by more than 0.8, in one half or across both, the less confident is dropped; of the rest at
    most two that are no person are kept, then persons, by confidence, up to five in all.

    Args:
        boxes: `(n, 4)`, `xyxy`, px of either half, RGB first.
        scores: `(n,)`.
        persons: `(n,)`, which of them are persons.

    Returns:
        Places of at most five boxes.
    """
    order = suppress(boxes, scores, OVERLAP)
    others = order[~persons[order]][:OTHERS]
    return np.concatenate([others, order[persons[order]][:MOST - len(others)]])
