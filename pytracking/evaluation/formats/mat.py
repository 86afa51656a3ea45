"""MATLAB result files in the manner of OTB's toolkit: a cell `results` with a struct of `res`, `type` and `len`."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.errors import UserError
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats.files import write_whole


def read(path: Path, sequence: Sequence | None = None) -> np.ndarray:
    """Boxes of `results{1}` (or of a struct `results`). Nothing is asked of `sequence`.

    Returns:
        (n, 4) `xywh`, image px, in the coordinates of the data set's ground truth file.

    Raises:
        UserError: no MATLAB file before version 7.3, no such variable, boxes of another type or number.
    """
    run = _first_run(path)
    kind = str(getattr(run, 'type', 'rect'))
    if kind != 'rect':
        raise UserError(f'{path}: boxes of type {kind!r}; only upright boxes, type \'rect\', are understood')
    try:
        boxes = np.atleast_2d(np.asarray(run.res, dtype=float))
    except (TypeError, ValueError):
        boxes = np.empty((0, 0))
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise UserError(f'{path}: results{{1}}.res must have a row of x, y, w, h a frame')
    length = int(getattr(run, 'len', len(boxes)))
    if length != len(boxes):
        raise UserError(f'{path}: len is {length}, but res has {len(boxes)} rows')
    return boxes


def _first_run(path: Path) -> Any:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError
    try:
        content = loadmat(io.BytesIO(path.read_bytes()), squeeze_me=True, struct_as_record=False,
                          variable_names=['results'])
    except NotImplementedError:
        raise UserError(f'{path} is of MATLAB version 7.3: save it with -v7') from None
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror or error}') from None
    except (MatReadError, ValueError, TypeError, IndexError, KeyError, struct.error, zlib.error) as error:
        raise UserError(f'{path} is not a whole MATLAB file: {" ".join(str(error).split())}') from None
    runs = np.atleast_1d(content.get('results', ())).ravel()
    if not len(runs) or not hasattr(runs[0], 'res'):
        raise UserError(f'{path} has no variable results{{1}}.res')
    return runs[0]


def write(path: Path, boxes: np.ndarray) -> None:
    """Write (n, 4) `xywh` boxes as `results{1}` of type 'rect'; all digits are kept."""
    from scipy.io import savemat
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = {'res': np.asarray(boxes, dtype=float), 'type': 'rect', 'len': float(len(boxes))}
    buffer = io.BytesIO()
    savemat(buffer, {'results': cell})
    write_whole(path, buffer.getvalue())
