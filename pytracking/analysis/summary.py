"""All that is known of some trackers on one data set, and the tables of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pytracking.evaluation.data as data
from pytracking.analysis.attributes import attribute_rows, by_attribute, subset
from pytracking.analysis.bootstrap import Difference
from pytracking.analysis.export import Cell, Table
from pytracking.analysis.extract_results import TrackerResult
from pytracking.analysis.plot_results import TITLES, check_alike, table_notes
from pytracking.analysis.protocols import MeasureName, Protocol
from pytracking.analysis.published import Published, overall, with_attribute

CSV_HEADER = ('kind', 'name', 'sequences', 'tracker', 'source', 'protocol', *TITLES, 'frames_per_second')


@dataclass(frozen=True, eq=False)
class Analysis:
    """What tables, plots and pages are made of.

    Attributes:
        dataset: its name.
        sequences: the data set.
        results: evaluated alike; the order is that of the tables.
        published: rows of others for this data set.
        differences: names of two trackers, and the bootstrap of their difference by measure.
    """

    dataset: str
    sequences: Sequence[data.Sequence]
    results: Sequence[TrackerResult]
    published: Sequence[Published] = ()
    differences: Sequence[tuple[str, str, Sequence[Difference]]] = ()

    def __post_init__(self) -> None:
        check_alike(self.results)

    @property
    def protocol(self) -> Protocol:
        """How it was counted."""
        return self.results[0].result.protocol

    @property
    def measures(self) -> list[MeasureName]:
        """What the protocol measures, in the order of columns."""
        return [name for name in TITLES if name in self.protocol.measures]

    @cached_property
    def counted(self) -> dict[str, data.Sequence]:
        """The evaluated sequences by name."""
        names = set(self.results[0].result.sequences)
        return {sequence.name: sequence for sequence in self.sequences if sequence.name in names}

    @cached_property
    def members(self) -> dict[str, tuple[str, ...]]:
        """Attribute -> names of the evaluated sequences that have it."""
        return by_attribute(self.counted.values())


def main_table(analysis: Analysis) -> Table:
    """The trackers' figures x 100, and what is published, marked as such."""
    measures = analysis.measures
    rows: list[tuple[Cell, ...]] = [(item.label, *(_percent(item.result.figure(name)) for name in measures),
                                     item.frames_per_second) for item in analysis.results]
    others = overall(analysis.published)
    rows += [(row.label, *(_percent(row.figure(name)) for name in measures), None) for row in others]
    notes = [*table_notes(analysis.results), *_origins(others)]
    header = ('Tracker', *(TITLES[name] for name in measures), 'frames/s')
    return Table(f'{analysis.dataset}, one-pass evaluation', header, tuple(rows), tuple(notes),
                 len(analysis.results), False, tuple(range(1, len(measures) + 1)))


def attribute_table(analysis: Analysis, measure: MeasureName) -> Table:
    """A row for each attribute, a column for each tracker (paper, Table 2, is the same turned over).

    Raises:
        UserError: the data set names no attributes.
    """
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (attribute, count, *(100 * figure for figure in figures))
        for attribute, count, figures in attribute_rows(analysis.results, analysis.sequences, measure))
    header = ('Attribute', 'sequences', *(item.label for item in analysis.results))
    return Table(f'{TITLES[measure]} by attribute, x 100', header, rows,
                 (f'protocol {analysis.protocol.name}; mean over the sequences that have the attribute',),
                 len(rows), True, tuple(range(2, len(header))))


def published_attribute_table(analysis: Analysis, measure: MeasureName) -> Table | None:
    """What is published by attribute, row for row as in `attribute_table`; None where nothing is."""
    trackers = with_attribute(analysis.published)
    if not trackers:
        return None
    rows = [(attribute, *(_percent(by_name[attribute.lower()].figure(measure)) if attribute.lower() in by_name else None
                          for by_name in trackers.values())) for attribute in analysis.members]
    used = [by_name[key.lower()] for by_name in trackers.values() for key in analysis.members if key.lower() in by_name]
    return Table(f'{TITLES[measure]} by attribute, x 100, as published', ('Attribute', *trackers), tuple(rows),
                 tuple(_origins(used))) if used else None


def _origins(rows: Sequence[Published]) -> list[str]:
    return list(dict.fromkeys(f'published: {row.origin}' for row in rows))


def difference_table(analysis: Analysis) -> Table:
    """The bootstrap intervals, x 100."""
    rows: list[tuple[Cell, ...]] = []
    notes: dict[str, None] = {}
    for first, second, parts in analysis.differences:
        for part in parts:
            rows.append((f'{first} - {second}', TITLES[part.measure], _signed(part.difference), _signed(part.low),
                         _signed(part.high), 100 * part.share_above))
            notes[f'paired bootstrap over {part.sequences} sequences, {part.draws} draws, '
                  f'{100 * part.level:g} % percentile interval'] = None
    return Table('Difference of two trackers, x 100',
                 ('Trackers', 'Measure', 'difference', 'low', 'high', 'first ahead, % of draws'), tuple(rows),
                 tuple(notes))


def csv_rows(analysis: Analysis) -> list[tuple[Cell, ...]]:
    """Everything in long form, figures in [0, 1]; columns `CSV_HEADER`; kind is all, attribute, sequence."""
    rows: list[tuple[Cell, ...]] = []

    def add(kind: str, name: str, item: TrackerResult, members: Sequence[str] | None) -> None:
        result = item.result if members is None else subset(item.result, members)
        rows.append((kind, name, len(result.sequences), item.label, 'evaluated here', result.protocol.name,
                     *(result.figure(measure) for measure in TITLES),
                     item.frames_per_second if members is None else None))

    for item in analysis.results:
        add('all', '', item, None)
    for row in analysis.published:
        kind = 'all' if row.attribute is None else 'attribute'
        rows.append((kind, row.attribute or '', None, row.tracker, f'published: {row.source}', row.protocol,
                     *(row.figure(measure) for measure in TITLES), None))
    for attribute, members in analysis.members.items():
        for item in analysis.results:
            add('attribute', attribute, item, members)
    for item in analysis.results:
        figures = {measure: item.result.sequence_figures(measure) for measure in analysis.measures}
        rows += [('sequence', name, 1, item.label, 'evaluated here', analysis.protocol.name,
                  *(figures[measure][name] if measure in figures else None for measure in TITLES), None)
                 for name in item.result.sequences]
    return rows


def _percent(figure: float | None) -> float | None:
    return None if figure is None else 100 * figure


def _signed(figure: float) -> str:
    return f'{100 * figure:+.2f}'
