"""MATLAB result files in the manner of OTB's toolkit: a cell `results` with a struct of `res`, `type` and `len`."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.whole import write_whole
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats.mat5 import read_variables


def read(path: Path, sequence: Sequence | None = None) -> np.ndarray:
    """Boxes of `results{1}` (or of a struct `results`). Nothing is asked of `sequence`.

    Returns:
        (n, 4) `xywh`, image px, in the coordinates of the data set's ground truth file.

    Raises:
        UserError: no MATLAB file before version 7.3, no such variable, boxes of another type or number.
    """
    run = _first_run(path)
    kind = run.get('type', 'rect')
    if kind != 'rect':
        raise UserError(f'{path}: boxes of type {str(kind)[:40]!r}; only upright boxes, type \'rect\', are understood')
    boxes = run['res']
    if not isinstance(boxes, np.ndarray) or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise UserError(f'{path}: results{{1}}.res must have a row of x, y, w, h a frame')
    length = run.get('len', len(boxes))
    if not np.array_equal(np.ravel(length), [len(boxes)]):
        told = f'{length.item():g}' if isinstance(length, np.ndarray) and length.size == 1 else 'no number'
        raise UserError(f'{path}: len is {told}, but res has {len(boxes)} rows: copy or export it again')
    return np.where(np.isinf(boxes), np.nan, boxes)


def _first_run(path: Path) -> dict[str, Any]:
    try:
        runs = read_variables(path.read_bytes(), 'results').get('results')
    except NotImplementedError:
        raise UserError(f'{path} is of MATLAB version 7.3: save it with -v7') from None
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror or error}') from None
    except (ValueError, StopIteration, OverflowError, struct.error, zlib.error) as error:
        raise UserError(f'{path} is not a whole MATLAB file ({" ".join(str(error).split())[:160]}): copy it '
                        'again') from None
    run = runs[0] if isinstance(runs, list) and runs else runs
    if not isinstance(run, dict) or 'res' not in run:
        raise UserError(f'{path} has no variable results{{1}}.res: export the results anew')
    return run


def write(path: Path, boxes: np.ndarray) -> None:
    """Write (n, 4) `xywh` boxes as `results{1}` of type 'rect'; all digits are kept."""
    from scipy.io import savemat
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = {'res': np.asarray(boxes, dtype=float), 'type': 'rect', 'len': float(len(boxes))}
    buffer = io.BytesIO()
    savemat(buffer, {'results': cell})
    write_whole(path, buffer.getvalue())
