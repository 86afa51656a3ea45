"""How a cost grows: measured series, their exponents, a table, a plot and JSON. Used by both benchmarks' `--growth`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.whole import write_whole
from pytracking.utils.figures import save_figure

LIMIT = 1.1
"""Exponents up to here count as linear: times are measured to some per cent."""
RANGE = 10
"""The exponent is that of the sizes from the largest down to this part of it, where what is paid once weighs least."""


@dataclass(frozen=True)
class Series:
    """Costs of one piece of work at growing sizes.

    Attributes:
        name: what was done.
        variable: what grows, such as `pairs`.
        unit: of the costs, `s` or `MB`.
        sizes: in growing order.
        costs: one each.
    """

    name: str
    variable: str
    unit: str
    sizes: tuple[float, ...]
    costs: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """p in cost ~ size ** p, by least squares of the logarithms at the largest sizes, at least two."""
        count = max(2, sum(size * RANGE >= self.sizes[-1] for size in self.sizes))
        return float(np.polyfit(np.log(self.sizes[-count:]), np.log(np.maximum(self.costs[-count:], 1e-12)), 1)[0])

    @property
    def linear(self) -> bool:
        """Whether the cost grows no worse than linearly."""
        return self.exponent <= LIMIT


def timed(name: str, variable: str, sizes: Sequence[float], make: Callable[[Any], Callable[[], Any]],
          repeats: int = 3, clock: Callable[[], float] = time.process_time) -> Series:
    """Time work at growing sizes; the least of some repetitions counts, which other programs disturb least.

    Args:
        name, variable, sizes: see `Series`.
        make: prepares the work of one size, and returns what is timed.
        repeats: of each, taken in turn, after one that does not count.
        clock: processor time by default.
    """
    work = [make(size) for size in sizes]
    for action in work:
        action()
    costs = [math.inf] * len(work)
    for _ in range(repeats):
        for number, action in enumerate(work):
            start = clock()
            action()
            costs[number] = min(costs[number], clock() - start)
    return Series(name, variable, 's', tuple(sizes), tuple(costs))


def lines(series: Sequence[Series]) -> list[str]:
    """The table: costs at every size, and the exponents."""
    found = []
    for one in series:
        cells = ', '.join(f'{size:g}: {cost:.3g}' for size, cost in zip(one.sizes, one.costs, strict=True))
        found.append(f'{one.name}, {one.unit} by {one.variable}: {cells}; exponent {one.exponent:.2f}'
                     f'{"" if one.linear else f" (limit {LIMIT})"}')
    return found


def markdown(series: Sequence[Series]) -> list[str]:
    """The same as rows of a document; costs are told relative to the smallest size, whatever the machine."""
    rows = ['| work | size | growth of size | growth of cost | exponent |', '|---|---|---|---|---|']
    for one in series:
        size, cost = one.sizes[-1] / one.sizes[0], one.costs[-1] / one.costs[0]
        rows.append(f'| {one.name}, {_kind(one)} | {one.sizes[0]:,.0f} to {one.sizes[-1]:,.0f} {one.variable} | '
                    f'{size:,.0f} x | {cost:,.1f} x | {one.exponent:.2f} |')
    return rows


def plot(series: Sequence[Series], path: Path) -> Path:
    """Draw every series on logarithmic axes, beside a line of exponent 1; folders are made."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(4, len(series))
    figure = Figure(figsize=(2.9 * columns, 2.4 * math.ceil(len(series) / columns)), layout='constrained')
    FigureCanvasAgg(figure)
    for number, one in enumerate(series, 1):
        axes = figure.add_subplot(math.ceil(len(series) / columns), columns, number)
        relative = np.array(one.costs) / one.costs[0]
        axes.loglog(one.sizes, relative, marker='o', markersize=4)
        axes.loglog(one.sizes, np.array(one.sizes) / one.sizes[0], color='grey', linestyle=':', linewidth=1)
        axes.set_title(f'{one.name}: {one.exponent:.2f}', fontsize='small')
        axes.set_xlabel(one.variable, fontsize='small')
        axes.set_ylabel(f'{_kind(one)}, relative', fontsize='small')
        axes.set_xticks(one.sizes, [_short(size) for size in one.sizes], fontsize='x-small')
        axes.yaxis.set_minor_formatter('')
        axes.tick_params(axis='y', labelsize='x-small')
        axes.tick_params(which='minor', bottom=False, labelbottom=False)
        axes.grid(alpha=0.3)
    return save_figure(figure, path, dpi=110)


def _kind(series: Series) -> str:
    return 'time' if series.unit == 's' else 'memory'


def _short(size: float) -> str:
    """A size for an axis: 76800 as 76.8k."""
    for factor, letter in ((1e6, 'M'), (1e3, 'k')):
        if size >= factor:
            return f'{size / factor:.3g}{letter}'
    return f'{size:g}'


def report(series: Sequence[Series], out: Path, name: str) -> int:
    """Print the table, and write it as `NAME.json`, `NAME.md` and `NAME.png`.

    Args:
        series: what was measured.
        out: folder, which is made.
        name: of the files.

    Returns:
        0, or 1 where a cost grows worse than linearly.

    Raises:
        UserError: the folder cannot be written.
    """
    print('\n'.join(lines(series)))
    data = [{**asdict(one), 'exponent': one.exponent} for one in series]
    write_whole(out / f'{name}.json', json.dumps(data, indent=2).encode())
    write_whole(out / f'{name}.md', ('\n'.join(markdown(series)) + '\n').encode())
    picture = plot(series, out / f'{name}.png')
    worse = [one.name for one in series if not one.linear]
    print(f'written: {picture}, {name}.json and {name}.md beside it; '
          + (f'worse than linear: {", ".join(worse)}' if worse else 'nothing grows worse than linearly'))
    return 1 if worse else 0
