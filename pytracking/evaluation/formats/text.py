"""Text of boxes: four or eight numbers a line, separated by anything usual."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.whole import write_whole
from ltr.data.box_text import read_table
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats.corners import corners_of, enclosing
from pytracking.evaluation.formats.files import table_text

SEPARATORS = re.compile(r'[\s,;]+')


def read(path: Path, sequence: Sequence | None = None) -> np.ndarray:
    """Boxes of a text file; eight numbers a line are corners. Nothing is asked of `sequence`.

    Returns:
        (n, 4) `xywh`, image px; a line without numbers is NaN.

    Raises:
        UserError: unreadable file, or lines that are not all of four or all of eight numbers.
    """
    try:
        with path.open(encoding='utf-8-sig', errors='replace') as file:
            first = next((line for line in file if line.strip()), '')
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from None
    count = len(cells(first))
    if count not in (4, 8):
        raise UserError(f'{path}: a line must hold 4 numbers (x, y, w, h) or 8 (corners), found {count}: '
                        f'{first.strip()[:60]!r}')
    table = read_table(path, count)
    return enclosing(table) if count == 8 else table


def cells(line: str) -> list[str]:
    """What stands between the separators of a line."""
    return [cell for cell in SEPARATORS.split(line.strip()) if cell]


def writer(separator: str) -> Callable[[Path, np.ndarray], None]:
    """Writes (n, 4) `xywh` boxes, one line a frame."""
    def write(path: Path, boxes: np.ndarray) -> None:
        write_whole(path, table_text(boxes, separator))
    return write


def write_corners(path: Path, boxes: np.ndarray) -> None:
    """Write (n, 4) `xywh` boxes as x1 y1 ... x4 y4, comma separated, clockwise from the top left."""
    write_whole(path, table_text(corners_of(boxes), ','))
