"""Reading what lies in a sequence folder: box text files, MOT text files, and lists of frames."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.image_loader import IMAGE_SUFFIXES

_DIGITS = re.compile(r'(\d+)')


def read_table(path: Path, least: int, most: int | None = None) -> np.ndarray:
    """Numbers of a text file, one row a line, separated by commas, tabs or blanks.

    Args:
        path: the file; a byte-order mark and blank lines at the end are allowed, NaN too.
        least: how many numbers a line must hold.
        most: how many are kept, where all lines hold that many; what follows is not read. By default `least`,
            and then longer lines are an error.

    Returns:
        (n, columns) float64, `columns` from `least` to `most`.

    Raises:
        UserError: unreadable file, or a line that is not such a row (the line is named).
    """
    try:
        text = path.read_text(encoding='utf-8-sig', errors='replace')
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from None
    lines = text.rstrip().splitlines()
    rows = [_cells(line) for line in lines]
    for i, row in enumerate(rows):
        if len(row) < least or (most is None and len(row) > least):
            raise UserError(f'{path}, line {i + 1}: expected {least} numbers, found {len(row)}: '
                            f'{lines[i][:60]!r}')
    columns = min([most or least, *(len(row) for row in rows)])
    rows = [row[:columns] for row in rows]
    try:
        table = np.array(rows, dtype=float).reshape(-1, columns)
    except ValueError:
        table = None
    if table is None or np.isinf(table).any():
        bad = next(i for i, row in enumerate(rows) if not all(map(_is_number, row)))
        raise UserError(f'{path}, line {bad + 1}: not a row of numbers: {lines[bad][:60]!r}')
    return table


def _cells(line: str) -> list[str]:
    """A comma separates even where nothing stands between two of them; blanks count once."""
    return line.split(',') if ',' in line else line.split()


def _is_number(cell: str) -> bool:
    try:
        return not np.isinf(float(cell))
    except ValueError:
        return False


def first_valid_row(boxes: np.ndarray) -> int | None:
    """Position of the first box of (n, 4) whose four values are all > 0, where a sequence starts."""
    with np.errstate(invalid='ignore'):
        valid = (boxes > 0).all(axis=1)
    return int(valid.argmax()) if valid.any() else None


def list_frames(folder: Path) -> list[str]:
    """Image files of a folder in natural order: frame 2 before frame 10, whatever the width of the numbers.

    Hidden files and other file types are left out. An absent folder has no frames.

    Raises:
        UserError: two files carry the same frame number.
    """
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)
            if suffix.lower() in IMAGE_SUFFIXES and not stem.startswith('.') and entry.is_file():
                found.append((_natural_key(stem), entry.path))
    found.sort()
    for (key, one), (next_key, other) in pairwise(found):
        if key == next_key:
            raise UserError(f'{one} and {Path(other).name} are the same frame: remove one of them')
    return [path for _, path in found]


def _natural_key(stem: str) -> tuple[tuple[int, int, str], ...]:
    if stem.isdecimal():
        return ((0, int(stem), ''),)
    parts = filter(None, _DIGITS.split(stem))
    return tuple((0, int(part), '') if part.isdecimal() else (1, 0, part) for part in parts)


def number_frames(frames: list[str]) -> dict[int, int]:
    """Frame number (the last number in a file's name) -> position in `frames`; other files are left out."""
    numbers = {}
    for position, path in enumerate(frames):
        digits = _DIGITS.findall(os.path.splitext(os.path.basename(path))[0])
        if digits:
            numbers[int(digits[-1])] = position
    return numbers


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
        raise UserError(f'{path}: id {ids[twice[0]]} occurs twice in frame {frames[twice[0]]}')
    starts = np.flatnonzero(np.concatenate([[True], ~same | (step != 1)])) if len(ids) else np.array([], int)
    ends = np.append(starts[1:], len(ids))
    return [(int(ids[a]), frames[a:b], table[a:b, 2:6]) for a, b in zip(starts, ends, strict=True)
            if b - a >= min_run]
