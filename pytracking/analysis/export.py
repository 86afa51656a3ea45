"""Tables for other programs: CSV, Markdown, LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltr.admin.whole import write_whole
from pytracking.analysis.table import format_table

Cell = str | int | float | None
_LATEX = {'\\': r'\textbackslash{}', '~': r'\textasciitilde{}', '^': r'\textasciicircum{}',
          **{sign: f'\\{sign}' for sign in '&%$#_{}'}, '<': r'\textless{}', '>': r'\textgreater{}'}
_MARKDOWN = re.compile(r'([\\`*_{}\[\]<>()#|~&!])')


@dataclass(frozen=True)
class Table:
    """A table of figures.

    Attributes:
        title: what it shows.
        header: one title a column; the first column holds names.
        rows: cells; floats are shown with one decimal, None as '-'.
        notes: lines below it.
        best: the largest float of the first so many rows is marked in each of the columns `marked`; 0 marks none.
        across: mark the largest of each row instead.
        marked: columns.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    best: int = 0
    across: bool = False
    marked: tuple[int, ...] = ()

    def is_best(self, row: int, column: int) -> bool:
        """Whether this cell is marked; what is shown alike is marked alike."""
        if row >= self.best or column not in self.marked:
            return False
        line = [self.rows[row][i] for i in self.marked] if self.across else [
            other[column] for other in self.rows[:self.best]]
        figures = [show(cell) for cell in line if isinstance(cell, float)]
        cell = self.rows[row][column]
        return len(figures) > 1 and isinstance(cell, float) and show(cell) == max(figures, key=float)


def show(cell: Cell) -> str:
    """A cell as text: floats with one decimal, None as '-'."""
    return '-' if cell is None else f'{cell:.1f}' if isinstance(cell, float) else str(cell)


def text(tables: Iterable[Table]) -> str:
    """Plain text, one table below the other."""
    return '\n\n'.join('\n'.join([table.title, format_table(table.rows, table.header), *table.notes])
                       for table in tables)


def markdown(tables: Iterable[Table]) -> str:
    """Markdown tables; the best of ours is bold."""
    parts = []
    for table in tables:
        lines = [f'**{escape_markdown(table.title)}**', '',
                 '| ' + ' | '.join(map(escape_markdown, table.header)) + ' |',
                 '|---' + '|---:' * (len(table.header) - 1) + '|']
        for i, row in enumerate(table.rows):
            cells = [escape_markdown(show(cell)) if isinstance(cell, str) else show(cell) for cell in row]
            cells = [f'**{cell}**' if table.is_best(i, j) else cell for j, cell in enumerate(cells)]
            lines.append('| ' + ' | '.join(cells) + ' |')
        notes = [f'{escape_markdown(note)}  ' for note in table.notes]
        parts.append('\n'.join([*lines, '', *notes]).rstrip())
    return '\n\n'.join(parts) + '\n'


def latex(tables: Iterable[Table]) -> str:
    """LaTeX `table` environments (package booktabs); the best of ours is bold."""
    parts = []
    for table in tables:
        caption = escape_latex('. '.join((table.title, *table.notes)))
        lines = [r'\begin{table}', r'\centering', rf'\caption{{{caption}}}',
                 rf'\begin{{tabular}}{{l{"r" * (len(table.header) - 1)}}}', r'\toprule',
                 ' & '.join(map(escape_latex, table.header)) + r' \\', r'\midrule']
        for i, row in enumerate(table.rows):
            cells = [escape_latex(show(cell)) for cell in row]
            cells = [rf'\textbf{{{cell}}}' if table.is_best(i, j) else cell for j, cell in enumerate(cells)]
            lines.append(' & '.join(cells) + r' \\')
        parts.append('\n'.join([*lines, r'\bottomrule', r'\end{tabular}', r'\end{table}']))
    return '% needs \\usepackage{booktabs}\n' + '\n\n'.join(parts) + '\n'


def escape_latex(value: str) -> str:
    """Text in which no sign means anything to LaTeX."""
    return ''.join(_LATEX.get(sign, sign) for sign in ' '.join(value.split()))


def escape_markdown(value: str) -> str:
    """Text in which no sign means anything to Markdown, tables and raw HTML included; on one line."""
    return _MARKDOWN.sub(r'\\\1', ' '.join(value.split()))


def write_csv(path: Path, rows: Sequence[Sequence[Cell]], header: Sequence[str]) -> None:
    """A CSV file: floats with six decimals, None as an empty cell. Raises as `write_whole`."""
    text = io.StringIO(newline='')
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([f'{cell:.6f}' if isinstance(cell, float) else cell for cell in row] for row in rows)
    write_whole(path, text.getvalue().encode())
