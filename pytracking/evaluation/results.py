"""Result files: `SEQ.txt` (boxes, tab separated floats) and `SEQ_time.txt` (seconds per frame).

They are written to a temporary name and then moved, the boxes last: a result file that is there is finished.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.whole import write_whole
from ltr.data.box_text import read_table
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats.files import table_text


def result_file(results_dir: Path, name: str) -> Path:
    """Where the boxes of the sequence `name` lie."""
    return results_dir / f'{name}.txt'


def time_file(results_dir: Path, name: str) -> Path:
    """Where the seconds per frame of the sequence `name` lie."""
    return results_dir / f'{name}_time.txt'


def write_results(results_dir: Path, name: str, boxes: np.ndarray, seconds: np.ndarray) -> None:
    """Write both files of a sequence, the boxes last.

    Args:
        results_dir: made when it is not there.
        name: the sequence's name.
        boxes: (n, 4) floats, `xywh`, image px; written with 4 decimals.
        seconds: (n,) time of each frame.

    Raises:
        ValueError: shapes that are not these.
        UserError: they cannot be written.
    """
    boxes, seconds = np.asarray(boxes, dtype=float), np.asarray(seconds, dtype=float)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or seconds.shape != boxes.shape[:1]:
        raise ValueError(f'{name}: expected (n, 4) boxes, (n,) times, got {boxes.shape}, {seconds.shape}')
    write_whole(time_file(results_dir, name), table_text(seconds[:, None], '\t', '%.6f'))
    write_whole(result_file(results_dir, name), table_text(boxes, '\t'))


def finished_length(results_dir: Path, name: str) -> int | None:
    """Number of rows of a sequence's result file; None where there is none.

    Raises:
        UserError: the file holds something that is not a box.
    """
    path = result_file(results_dir, name)
    return len(read_table(path, 4)) if path.is_file() else None


def is_complete(rows: int, sequence: Sequence) -> bool:
    """Whether a result of `rows` frames serves for `sequence`: its length, or that of the uncut sequence."""
    return rows in (len(sequence.frames), sequence.full_length)


def read_boxes(results_dir: Path, sequence: Sequence) -> np.ndarray:
    """The tracker's boxes for a sequence.

    Returns:
        (n, 4) float64, `xywh`, image px, one row per frame of `sequence`.

    Raises:
        UserError: no result, a malformed one, or one of another length.
    """
    path = result_file(results_dir, sequence.name)
    if not path.is_file():
        raise UserError(f'no result for the sequence {sequence.name!r}: run the tracker first ({path})')
    boxes = read_table(path, 4)
    if not is_complete(len(boxes), sequence):
        raise UserError(f'{path} has {len(boxes)} rows, but the sequence has {len(sequence.frames)} frames; '
                        f'run the tracker again')
    return boxes[:len(sequence.frames)]


def read_seconds(results_dir: Path, sequence: Sequence) -> np.ndarray | None:
    """(n,) seconds per frame; None where no time file of this length is there."""
    path = time_file(results_dir, sequence.name)
    if not path.is_file():
        return None
    seconds = read_table(path, 1)[:, 0]
    return seconds[:len(sequence.frames)] if is_complete(len(seconds), sequence) else None
