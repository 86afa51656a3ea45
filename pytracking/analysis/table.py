"""Plain-text tables."""

from __future__ import annotations

from collections.abc import Sequence

HEADER = ('Tracker', 'Success', 'Precision', 'Norm. Prec.', 'frames/s')


def format_table(rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> str:
    """Columns that line up: the first to the left, the others to the right.

    Args:
        rows: cells; floats are shown with one decimal, None as '-', anything else as `str`.
        header: one title a column.

    Raises:
        ValueError: a row has another length than the header.

    >>> print(format_table([['static box', 31.25, None]], ['Tracker', 'Success', 'Precision']))
    Tracker     Success  Precision
    ------------------------------
    static box     31.2          -
    """
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f'a row of {len(row)} cells under {len(header)} titles')
    cells = [list(header), *([_show(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ['  '.join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in
                                                   zip(row[1:], widths[1:], strict=True))]) for row in cells]
    return '\n'.join([lines[0], '-' * len(lines[0]), *lines[1:]])


def _show(cell: object) -> str:
    if cell is None:
        return '-'
    return f'{cell:.1f}' if isinstance(cell, float) else str(cell)
