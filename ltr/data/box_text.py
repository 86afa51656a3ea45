"""Text files of numbers, one row a line: boxes, times, tracks. One reader, so that what trains can be tracked."""

from __future__ import annotations

import math
import re
from itertools import chain
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError

_SIGNS = re.compile('[,;]')


def read_table(path: Path, least: int, most: int | None = None) -> np.ndarray:
    """Numbers of a text file, one row a line, separated by commas, semicolons, tabs or blanks.

    One separator may stand at the end of a line, a byte-order mark at the start of the file. A line without anything
    is a row of NaN (a frame without the target), but lines without anything at the end of the file are no rows; so
    that a row is either usable or NaN, infinity counts as NaN, too.

    Args:
        path: the file.
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
        if row and (len(row) < least or (most is None and len(row) > least)):
            raise UserError(f'{path}, line {i + 1}: expected {least} numbers, found {len(row)}: '
                            f'{lines[i][:60]!r}')
    columns = min([most or least, *(len(row) for row in rows if row)])
    nothing = ['nan'] * columns
    rows = [row[:columns] or nothing for row in rows]
    try:
        # numpy takes 1_0 for 10, and drops zero bytes at the end.
        if ('_' in text or '\0' in text) and not all(map(_is_number, chain.from_iterable(rows))):
            raise ValueError
        table = np.array(rows, dtype=float).reshape(-1, columns)
    except ValueError:
        bad = next(i for i, row in enumerate(rows) if not all(map(_is_number, row)))
        raise UserError(f'{path}, line {bad + 1}: not a row of numbers: {lines[bad][:60]!r}; correct the '
                        'line') from None
    table[~np.isfinite(table)] = math.nan
    return table


def _cells(line: str) -> list[str]:
    """A comma or semicolon separates even where nothing stands between two of them; blanks count once."""
    if not _SIGNS.search(line):
        return line.split()
    cells = _SIGNS.split(line)
    if not cells[-1].strip():
        cells.pop()
    return cells if any(map(str.strip, cells)) else []


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return '_' not in cell and '\0' not in cell
