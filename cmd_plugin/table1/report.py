"""Table 1 as text: our figures, and the published ones marked as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import recipe_of
from cmd_plugin.table1.paper import PAPER
from pytracking.analysis import format_table
from pytracking.analysis.extract_results import TrackerResult
from pytracking.analysis.protocols import MeasureName

MEASURES: tuple[MeasureName, ...] = ('success', 'precision', 'norm_precision')
TITLES = ('Success', 'Precision', 'Norm. Prec.')
PUBLISHED = 'in brackets: published figures, LSOTB-TIR, 119 sequences; not made here'


def figures(result: TrackerResult) -> tuple[float | None, ...]:
    """Success, Precision and normalised Precision x 100; `None` where the protocol has no such measure."""
    known = result.result.protocol.measures
    return tuple(100 * (result.result.figure(name) or 0.0) if name in known else None for name in MEASURES)


def table(tracker: str, results: Sequence[Mapping[str, TrackerResult]], seeds: Sequence[int]) -> str:
    """The table of one tracker.

    Args:
        tracker: whose rows.
        results: by row, one mapping a seed; all have the same rows.
        seeds: of these; with several, mean and standard deviation are shown.
    """
    rows = [[name, *_who_sees_what(recipe_of(tracker, name)),
             *_cells([figures(one[name]) for one in results], PAPER.get(tracker, {}).get(name))] for name in results[0]]
    header = ['Row', 'Learns', 'Reference', 'Test', *(cell for title in TITLES for cell in (title, '(paper)'))]
    first = next(iter(results[0].values())).result
    spread = 'mean +- standard deviation over seeds' if len(seeds) > 1 else 'seed'
    caption = (f'{tracker}: protocol {first.protocol.name}, {len(first.sequences)} sequences, '
               f'{int(first.frames.sum())} frames, {spread} {", ".join(map(str, seeds))}; x 100')
    return '\n'.join([format_table(rows, header), caption, *([PUBLISHED] if tracker in PAPER else [])])


def _cells(ours: Sequence[tuple[float | None, ...]], paper: tuple[float, ...] | None) -> list[str | None]:
    cells: list[str | None] = []
    for index in range(len(MEASURES)):
        column = [values[index] for values in ours]
        cells += [_cell(column), f'({paper[index]:.1f})' if paper else None]
    return cells


def _cell(values: Sequence[Any]) -> str | None:
    if None in values:
        return None
    mean = f'{np.mean(values):.1f}'
    return mean if len(values) == 1 else f'{mean} +- {np.std(values, ddof=1):.1f}'


def _who_sees_what(recipe: CMDRecipe) -> tuple[str, str, str]:
    """What learns, and the images of the reference and of the test branch, as in the paper's table."""
    if not recipe.components:
        return ('+'.join(recipe.init) or '-', '-', '-')
    tir = 'TIR' if recipe.thermal else 'RGB'
    seen = {'reference': (tir, 'RGB'), 'test': ('RGB', tir), 'both': (f'RGB-{tir}', f'{tir}-RGB')}[recipe.student]
    boxes = {'center_area': '', 'random_sampling': ', random', 'detection': ', detector'}[recipe.pseudo_box]
    return ('+'.join(name.upper() for name in recipe.components) + boxes, *seen)
