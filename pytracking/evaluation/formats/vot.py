"""VOT's text of regions: boxes or corners, and codes where there is no region."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.whole import write_whole
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats.corners import enclosing
from pytracking.evaluation.formats.text import cells

NOTHING, INITIALISED, FAILED = 0, 1, 2


def read(path: Path, sequence: Sequence) -> np.ndarray:
    """Boxes of a run without re-initialisation.

    Code 1 in the first line stands for the given box, which is the sequence's; code 0 is a frame without a box.

    Returns:
        (n, 4) `xywh`, image px; corners become the upright box around them, NaN for a frame without a box.

    Raises:
        UserError: a line that is none of these, a mask, or a tracker that was started again (code 2, or 1 later on).
    """
    try:
        lines = path.read_text(encoding='utf-8-sig', errors='replace').split('\n')
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from None
    while lines and not lines[-1].strip():
        lines.pop()
    return np.array([_row(line, i, path, sequence) for i, line in enumerate(lines)], dtype=float).reshape(-1, 4)


def _row(line: str, number: int, path: Path, sequence: Sequence) -> np.ndarray:
    where = f'{path}, line {number + 1}'
    try:
        if '_' in line:  # `float` takes 1_0 for 10
            raise ValueError
        values = np.array([float(cell) for cell in cells(line)])
    except ValueError:
        raise UserError(f'{where}: not a box: {line.strip()[:60]!r}; correct the line') from None
    values[np.isinf(values)] = np.nan
    if len(values) == 1 and values[0] == INITIALISED and number == 0:
        return np.asarray(sequence.init_info()['init_bbox'], dtype=float)
    if len(values) == 1 and values[0] in (INITIALISED, FAILED):
        raise UserError(f'{where}: the tracker was started again there; export a run of one pass, without new starts')
    if len(values) == 1 and values[0] == NOTHING:
        return np.full(4, np.nan)
    if len(values) not in (4, 8):
        raise UserError(f'{where}: expected a code (0, 1, 2), 4 or 8 numbers, found {line.strip()[:60]!r}')
    return enclosing(values[None])[0] if len(values) == 8 else values


def write(path: Path, boxes: np.ndarray) -> None:
    """Write (n, 4) `xywh` boxes of a run of one pass: code 1, then a box a line, code 0 where there is none."""
    lines = [','.join(f'{value:.4f}' for value in box) if np.isfinite(box).all() else str(NOTHING) for box in boxes]
    lines[:1] = [str(INITIALISED)] if lines else []
    write_whole(path, ''.join(f'{line}\n' for line in lines).encode('ascii'))
