"""Figures that papers and benchmarks have published, one CSV file a data set, to be drawn beside ours.

The columns are `tracker`, `success`, `precision`, `norm_precision` (in [0, 1], empty where the source gives none),
`attribute` (empty: all sequences), `protocol` (as the source counted, empty where it does not say) and `source`. The
core finds them through the entry-point group `pytracking.published`; it never names this package.
"""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import NamedTuple

COLUMNS = ('tracker', 'success', 'precision', 'norm_precision', 'attribute', 'protocol', 'source')


class PublishedFigure(NamedTuple):
    """A published row; figures in [0, 1], None where the source gives none.

    `attribute` is None for all sequences, else the attribute whose sequences were counted; `protocol` names the
    protocol of this toolkit that counts alike, None where the source does not say how it counted.
    """

    tracker: str
    success: float | None
    precision: float | None
    norm_precision: float | None
    source: str
    attribute: str | None
    protocol: str | None


def read(name: str) -> list[PublishedFigure]:
    """The rows of `NAME.csv` beside this file, in its order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file has other columns, or a figure that is no number in [0, 1].
    """
    path = Path(__file__).with_name(f'{name}.csv')
    with path.open(newline='', encoding='utf-8') as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f'{path}: the columns are not {", ".join(COLUMNS)}')
        return [_row(row, path) for row in reader]


def _row(row: dict[str, str], path: Path) -> PublishedFigure:
    success, precision, norm_precision = (_figure(row[key], path) for key in COLUMNS[1:4])
    return PublishedFigure(row['tracker'], success, precision, norm_precision, row['source'], row['attribute'] or None,
                           row['protocol'] or None)


def _figure(text: str, path: Path) -> float | None:
    if not text:
        return None
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(f'{path}: {text} is not in [0, 1]')
    return value


lsotb_tir = partial(read, 'lsotb_tir')
lsotb_tir_attributes = partial(read, 'lsotb_tir_attributes')
ptb_tir = partial(read, 'ptb_tir')
lasher = partial(read, 'lasher')
rgbt234 = partial(read, 'rgbt234')
rgbt210 = partial(read, 'rgbt210')
