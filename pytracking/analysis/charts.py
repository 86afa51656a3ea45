"""Plots beside the curves: a radar over attributes, bars over sequences. PNG, without a display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.errors import UserError
from pytracking.analysis.attributes import attribute_rows
from pytracking.analysis.plot_results import save_plot
from pytracking.analysis.protocols import MeasureName
from pytracking.analysis.summary import Analysis
from pytracking.utils.figures import save_figure

MOST_INCHES = 100.0


def save_charts(analysis: Analysis, folder: Path) -> list[Path]:
    """A curve plot for each measure, `sequences.png`, and `attributes.png` where there are three attributes or more."""
    files = [save_plot(analysis.results, folder / f'{measure}.png', measure) for measure in analysis.measures]
    files.append(save_bars(analysis, folder / 'sequences.png'))
    return [*files, save_radar(analysis, folder / 'attributes.png')] if len(analysis.members) >= 3 else files


def save_radar(analysis: Analysis, path: Path, measure: MeasureName = 'success') -> Path:
    """One axis an attribute, one line a tracker; each axis runs from 0 to a little above its best figure.

    Raises:
        UserError: fewer than three attributes.
    """
    if len(analysis.members) < 3:
        raise UserError(f'a radar needs three attributes, the data set has {len(analysis.members)}')
    rows = attribute_rows(analysis.results, analysis.sequences, measure)
    figures = np.array([row[2] for row in rows])
    scale = np.maximum(figures.max(axis=1), 1e-9)
    angles = np.linspace(0, 2 * np.pi, len(rows), endpoint=False)
    figure, axes = _figure((7.5, 6.5), projection='polar')
    for i, item in enumerate(analysis.results):
        values = figures[:, i] / scale
        axes.plot([*angles, angles[0]], [*values, values[0]], label=item.label, linewidth=1.8)
        axes.fill(angles, values, alpha=0.06)
    labels = [f'{name}\n{100 * low:.1f} to {100 * high:.1f}' for (name, _, _), low, high in
              zip(rows, figures.min(axis=1), figures.max(axis=1), strict=True)]
    axes.set_xticks(angles, labels, fontsize=7)
    axes.set_yticks([0.25, 0.5, 0.75, 1.0], ['', '', '', ''])
    axes.set_ylim(0, 1.05)
    axes.set_title(f'{_title(analysis, measure)} by attribute, relative to the best of each', fontsize=9, pad=28)
    figure.legend(loc='outside lower center', ncols=4, fontsize='small')
    return save_figure(figure, path)


def save_bars(analysis: Analysis, path: Path, measure: MeasureName = 'success') -> Path:
    """A group of bars for each sequence, ordered by the mean over trackers, the best on top."""
    tables = [item.result.sequence_figures(measure) for item in analysis.results]
    names = sorted(analysis.counted, key=lambda name: float(np.mean([table[name] for table in tables])))
    height = min(1.2 + len(names) * (0.12 + 0.07 * len(tables)), MOST_INCHES)
    figure, axes = _figure((7.5, max(height, 2.5)))
    width = 0.84 / len(tables)
    for i, (item, table) in enumerate(zip(analysis.results, tables, strict=True)):
        axes.barh(np.arange(len(names)) + 0.42 - width * (i + 0.5), [table[name] for name in names], width,
                  label=item.label)
    axes.set_yticks(np.arange(len(names)), names, fontsize=6)
    axes.set(xlim=(0, 1), ylim=(-0.7, len(names) - 0.3), xlabel=f'{_title(analysis, measure)}, by sequence')
    axes.grid(axis='x', alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc='outside upper center', ncols=4, fontsize='small')
    return save_figure(figure, path)


def _title(analysis: Analysis, measure: MeasureName) -> str:
    return f'{analysis.protocol.measures[measure].label} ({analysis.dataset}, protocol {analysis.protocol.name})'


def _figure(size: tuple[float, float], **options: Any) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot(**options)
