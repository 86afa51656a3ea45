"""Overlap and centre errors of boxes, frame by frame. All boxes are (n, 4) float, `xywh`, image px."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pytracking.analysis.protocols import InvalidRule


def overlap(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union.

    Returns:
        (n,) in [0, 1]; 0 where a box has no area, NaN where a number is NaN.

    >>> overlap(np.array([[0., 0., 2., 2.]]), np.array([[1., 0., 2., 2.]])).round(3).tolist()
    [0.333]
    """
    with np.errstate(invalid='ignore'):
        near = np.maximum(pred[:, :2], truth[:, :2])
        far = np.minimum(pred[:, :2] + pred[:, 2:], truth[:, :2] + truth[:, 2:])
        shared = _area(far - near)
        union = _area(pred[:, 2:]) + _area(truth[:, 2:]) - shared
        # rounding of x + w may carry a box's overlap with itself above 1
        return np.minimum(np.divide(shared, union, out=shared * 0, where=union > 0), 1.0)


def _area(sizes: np.ndarray) -> np.ndarray:
    width, height = sizes.clip(min=0).T
    return width * height


def centre_difference(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n, 2) predicted minus true centre, px."""
    with np.errstate(invalid='ignore'):
        return (pred[:, :2] + pred[:, 2:] / 2) - (truth[:, :2] + truth[:, 2:] / 2)


def centre_error(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) distance of the centres, px; NaN where a number is NaN."""
    return np.linalg.norm(centre_difference(pred, truth), axis=1)


def normalised_centre_error(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) distance of the centres, each axis divided by that frame's true width or height."""
    with np.errstate(invalid='ignore', divide='ignore'):
        return np.linalg.norm(centre_difference(pred, truth) / truth[:, 2:], axis=1)


def invalid_rows(truth: np.ndarray, rule: InvalidRule, visible: np.ndarray | None = None) -> np.ndarray:
    """(n,) bool: ground-truth rows that a protocol's rule calls invalid (see `Protocol.invalid`)."""
    if rule == 'none':
        return np.zeros(len(truth), dtype=bool)
    if rule == 'any_not_positive':
        return np.logical_not((truth > 0).all(axis=1))
    invalid = np.logical_not((truth[:, 2:] > 0).all(axis=1)) | np.isnan(truth).any(axis=1)
    return invalid if visible is None else invalid | ~np.asarray(visible, dtype=bool)


def replace_bad_predictions(pred: np.ndarray, truth: np.ndarray, starts: ArrayLike = 0) -> np.ndarray:
    """A copy in which boxes without area, or all NaN, are those of the frame before.

    Frames whose ground truth holds a NaN are left as they are, also as sources; first frames always are.

    Args:
        pred, truth: (n, 4), of one sequence or of several, one after the other.
        starts: positions of the sequences' first frames.
    """
    with np.errstate(invalid='ignore'):
        bad = (pred[:, 2:] <= 0).any(axis=1) | np.isnan(pred).all(axis=1)
    bad &= ~np.isnan(truth).any(axis=1)
    bad[starts] = False
    source = np.maximum.accumulate(np.where(bad, 0, np.arange(len(pred))))
    return pred[source]
