"""Reading what lies in a sequence folder: where its boxes start, corners, attributes, tracks in MOT text files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.box_text import read_table


def first_valid_row(boxes: np.ndarray) -> int | None:
    """Position of the first box of (n, 4) whose four values are all > 0, where a sequence starts."""
    with np.errstate(invalid='ignore'):
        valid = (boxes > 0).all(axis=1)
    return int(valid.argmax()) if valid.any() else None


def read_corner_pairs(path: Path) -> np.ndarray:
    """Boxes of a text file with lines of x1 y1 x2 y2: (n, 4) `xywh`, image px. Raises UserError as `read_table`."""
    corners = read_table(path, 4)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def read_attributes(path: Path, names: Sequence[str]) -> frozenset[str]:
    """Attributes of one sequence.

    Args:
        path: one line of 0 and 1, a column for each name.
        names: what the columns mean.

    Raises:
        UserError: another number of lines or columns, or anything but 0 and 1.
    """
    table = read_table(path, len(names))
    if len(table) != 1:
        raise UserError(f'{path}: expected one line of {len(names)} attributes, found {len(table)} lines')
    if not np.isin(table, (0, 1)).all():
        raise UserError(f'{path}: attributes are 0 or 1, found {path.read_text(errors="replace").strip()[:60]!r}')
    return frozenset(name for name, present in zip(names, table[0], strict=True) if present)


def mot_runs(path: Path, min_run: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Gap-free runs of one object in a MOT text file.

    Args:
        path: lines of frame, id, x, y, w, h[, conf, class, visibility]; rows whose conf is 0 are to be
            ignored, as in MOTChallenge.
        min_run: least number of frames of a run.

    Returns:
        (id, frame numbers (n,), boxes (n, 4) `xywh` image px) for every run, by id, then by frame.

    Raises:
        UserError: bad line, or an id occurs twice in one frame.
    """
    table = read_table(path, 6, 7)
    unnumbered = np.flatnonzero(np.isnan(table[:, :2]).any(axis=1))
    if len(unnumbered):
        raise UserError(f'{path}, line {unnumbered[0] + 1}: frame and id must be numbers')
    if table.shape[1] == 7:
        table = table[table[:, 6] != 0]
    table = table[np.lexsort((table[:, 0], table[:, 1]))]
    frames, ids = table[:, 0].astype(int), table[:, 1].astype(int)
    same = np.diff(ids) == 0
    step = np.diff(frames)
    twice = np.flatnonzero(same & (step == 0))
    if len(twice):
        raise UserError(f'{path}: id {ids[twice[0]]} occurs twice in frame {frames[twice[0]]}: remove one')
    starts = np.flatnonzero(np.concatenate([[True], ~same | (step != 1)])) if len(ids) else np.array([], int)
    ends = np.append(starts[1:], len(ids))
    return [(int(ids[a]), frames[a:b], table[a:b, 2:6]) for a, b in zip(starts, ends, strict=True)
            if b - a >= min_run]
