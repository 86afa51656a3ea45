"""Tables and plots of trackers' results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytracking.evaluation.data as data
from ltr.admin.errors import UserError
from ltr.admin.plugins import unknown
from pytracking.analysis.extract_results import TrackerResult, extract_results, merge_runs
from pytracking.analysis.protocols import MeasureName
from pytracking.analysis.table import format_table
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.tracker import Tracker
from pytracking.utils.figures import save_figure

PLOT_TYPES: dict[str, MeasureName] = {'prec': 'precision', 'norm_prec': 'norm_precision',
                                      **{name: name for name in get_args(MeasureName)}}
TITLES: dict[MeasureName, str] = {'success': 'Success', 'precision': 'Precision', 'norm_precision': 'Norm. Prec.'}
AXES = {'success': 'overlap threshold', 'precision': 'centre error threshold (px)',
        'norm_precision': 'normalised centre error threshold'}


def results_table(results: Sequence[TrackerResult],
                  measures: Sequence[MeasureName] = get_args(MeasureName)) -> str:
    """The table of trackers evaluated alike: figures x 100, frames/s, and how they were made.

    Raises:
        ValueError: no result, or results of different protocols or sequences.
    """
    check_alike(results)
    known = results[0].result.protocol.measures
    rows = [[item.label, *(None if name not in known else 100 * (item.result.figure(name) or 0.0)
                           for name in measures), item.frames_per_second] for item in results]
    header = ('Tracker', *(TITLES[name] for name in measures), 'frames/s')
    return '\n'.join([format_table(rows, header), *table_notes(results, measures)])


def check_alike(results: Sequence[TrackerResult]) -> None:
    """Results belong in one table.

    Raises:
        ValueError: no result, or results of different protocols or sequences.
    """
    if not results:
        raise ValueError('no result to show')
    first = results[0].result
    if any(item.result.protocol is not first.protocol or item.result.sequences != first.sequences
           for item in results):
        raise ValueError('results of different protocols or sequences do not belong in one table')


def table_notes(results: Sequence[TrackerResult],
                measures: Sequence[MeasureName] = get_args(MeasureName)) -> list[str]:
    """How the figures of a table were made, and what the protocol left out; one line each."""
    first = results[0].result
    count, plural = len(first.sequences), '' if len(first.sequences) == 1 else 's'
    caption = f'protocol {first.protocol.name}, {count} sequence{plural}, {int(first.frames.sum())} frames; '
    return [caption + figure_notes(results, measures), *_dropped(results)]


def figure_notes(results: Sequence[TrackerResult], measures: Sequence[MeasureName] = get_args(MeasureName)) -> str:
    """What the figures of a table are, whatever the sequences."""
    known = results[0].result.protocol.measures
    figures = ', '.join(f'{TITLES[name]} = {known[name].figure_name()}' for name in measures if name in known)
    return f'x 100; {figures}'


def _dropped(results: Sequence[TrackerResult]) -> list[str]:
    """A line for each tracker and measure where the protocol leaves sequences out of the mean."""
    lines = []
    for item in results:
        for name, curves in item.result.curves.items():
            zero = int((~(curves > 0).any(axis=1)).sum())
            if zero and item.result.protocol.drop_zero_curves:
                lines.append(f'{item.label}: {zero} of {len(curves)} sequences with an all-zero {name} curve '
                             f'dropped, as the protocol does')
    return lines


def print_results(trackers: Iterable[Tracker], dataset: Iterable[data.Sequence],
                  report_name: str | None = None, merge_results: bool = False,
                  plot_types: str | Iterable[str] = ('success', 'prec', 'norm_prec'),
                  **options: Any) -> list[TrackerResult]:
    """Print the table of the trackers' saved results.

    Args:
        trackers, dataset, report_name: as in `extract_results`.
        merge_results: one row per tracker, the mean over its runs.
        plot_types: the columns: 'success', 'prec' (or 'precision'), 'norm_prec' (or 'norm_precision').
        options: further arguments of `extract_results`, `protocol` among them.

    Returns:
        What was printed. Raises as `extract_results`.
    """
    measures = _measures(plot_types)
    results = extract_results(trackers, dataset, report_name, **options)
    results = merge_runs(results) if merge_results else results
    print(results_table(results, measures))
    return results


def plot_results(trackers: Iterable[Tracker], dataset: Iterable[data.Sequence], report_name: str,
                 merge_results: bool = False, plot_types: str | Iterable[str] = ('success',),
                 **options: Any) -> list[Path]:
    """Save a plot per type as `{result_plot_path}/REPORT_NAME/TYPE.png`.

    Arguments as in `print_results`; types that the protocol does not measure are an error.

    Returns:
        The files.
    """
    measures = _measures(plot_types)
    results = extract_results(trackers, dataset, report_name, **options)
    results = merge_runs(results) if merge_results else results
    folder = Path(local_env_settings().result_plot_path) / report_name
    return [save_plot(results, folder / f'{measure}.png', measure) for measure in measures]


def save_plot(results: Sequence[TrackerResult], path: str | Path, measure: MeasureName = 'success',
              title: str | None = None) -> Path:
    """Save one plot: a curve per tracker, the best first in the legend, each with its ranking figure x 100.

    Args:
        results: evaluated by one protocol.
        path: a PNG file; folders are made.
        measure: which curve.
        title: by default the measure, protocol and number of sequences.

    Raises:
        UserError: the protocol does not have this measure.
        ValueError: no result.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not results:
        raise ValueError('no result to plot')
    protocol = results[0].result.protocol
    if measure not in protocol.measures:
        raise UserError(f'protocol {protocol.name} has no {measure} plot, but {", ".join(protocol.measures)}')
    how = protocol.measures[measure]
    figure = Figure(figsize=(6, 4.5), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for item in sorted(results, key=lambda item: -(item.result.figure(measure) or 0.0)):
        axes.plot(how.thresholds, item.result.curve(measure),
                  label=f'{item.label} [{100 * (item.result.figure(measure) or 0.0):.1f}]')
    axes.set(xlim=(how.thresholds[0], how.thresholds[-1]), ylim=(0, 1), xlabel=AXES[measure],
             ylabel='share of frames', title=title or f'{how.label}, protocol {protocol.name}, '
                                                      f'{len(results[0].result.sequences)} sequences')
    axes.grid(alpha=0.3)
    axes.legend(title=how.figure_name(), fontsize='small')
    return save_figure(figure, Path(path))


def _measures(plot_types: str | Iterable[str]) -> list[MeasureName]:
    names = [plot_types] if isinstance(plot_types, str) else list(plot_types)
    for name in names:
        if name not in PLOT_TYPES:
            raise UserError(unknown('plot type', name, list(PLOT_TYPES)))
    return [PLOT_TYPES[name] for name in names]
