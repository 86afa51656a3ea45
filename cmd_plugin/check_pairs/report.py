"""Table, lines and CSV of what was found."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from cmd_plugin.check_pairs.findings import KINDS, Judged
from cmd_plugin.check_pairs.survey import Survey
from cmd_plugin.data.box_records import write_whole
from cmd_plugin.data.paired import PairedDataset

SHOWN = 10
"""Lines of each kind."""


def table(dataset: PairedDataset, found: Survey, judged: Judged) -> str:
    """One row a folder of pairs: counts of each kind, and the shift where it is told (median, 90th percentile; px)."""
    by_index = defaultdict(set)
    for finding in judged.findings:
        by_index[finding.index].add(finding.kind)
    head = ('folder', 'pairs', *KINDS, 'untold', 'dx', 'dy', 'shift', 'p90')
    rows: list[tuple[str, ...]] = [head]
    start = 0
    for group, end in zip(dataset.groups, dataset.ends.tolist(), strict=True):
        counts = Counter(kind for index in range(start, end) for kind in by_index.get(index, ()))
        own = found.shifts[start:end]
        told = own[~np.isnan(own[:, 0])]
        lengths = np.hypot(told[:, 0], told[:, 1])
        figures = (np.median(told[:, 0]), np.median(told[:, 1]), np.median(lengths), np.percentile(lengths, 90)) \
            if len(told) else ()
        untold = int((found.usable()[start:end] & np.isnan(own[:, 0])).sum())
        rows.append((str(group.rgb_folder), str(end - start), *(str(counts[kind]) for kind in KINDS), str(untold),
                     *([f'{value:.1f}' for value in figures] or ['-'] * 4)))
        start = end
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return '\n'.join('  '.join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in
                               enumerate(zip(row, widths, strict=True))) for row in rows)


def lines(dataset: PairedDataset, judged: Judged) -> list[str]:
    """The first findings of each kind, the worst first, then the notes."""
    told = []
    for kind in KINDS:
        own = sorted((finding for finding in judged.findings if finding.kind == kind),
                     key=lambda finding: (-finding.size, finding.index))
        # What is unusable names its file itself.
        told += [f'wrong  {kind}: {finding.text}' if kind == 'unusable' else
                 f'wrong  {kind}: {dataset.describe(finding.index)}: {finding.text}' for finding in own[:SHOWN]]
        if len(own) > SHOWN:
            told.append(f'wrong  {kind}: and {len(own) - SHOWN} more (--csv FILE lists all)')
    return told + [f'note   {note}' for note in judged.notes]


def write_csv(path: Path, dataset: PairedDataset, found: Survey, judged: Judged) -> None:
    """Every pair in a row. Raises `UserError` where the file cannot be written."""
    by_index = defaultdict(list)
    for finding in judged.findings:
        by_index[finding.index].append(finding)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(('rgb', 'tir', 'wrong', 'dx', 'dy', 'agreement', 'colourfulness', 'text'))
    for index in range(len(dataset)):
        own = by_index.get(index, [])
        numbers = [*found.shifts[index].tolist(), float(found.colours[index, 0])]
        writer.writerow((*map(str, dataset.paths(index)), ' '.join(finding.kind for finding in own),
                         *('' if np.isnan(value) else f'{value:.2f}' for value in numbers),
                         '; '.join(finding.text for finding in own)))
    write_whole(path, buffer.getvalue())
