"""Tables, plots and a page of saved results: `python -m pytracking.analyse --dataset NAME TRACKER/PARAM ...`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ltr.admin import plugins
from ltr.admin.errors import UserError, cli
from ltr.admin.plugins import unknown
from ltr.admin.whole import write_whole
from pytracking.analysis import export
from pytracking.analysis.bootstrap import DRAWS, paired_bootstrap
from pytracking.analysis.extract_results import HasResults, TrackerResult, extract_results
from pytracking.analysis.protocols import PROTOCOLS, get_protocol
from pytracking.analysis.published import GROUP, published_rows
from pytracking.analysis.ranking import rank_sequences, ranking_text
from pytracking.analysis.sources import check_labels, named_trackers, result_folders
from pytracking.analysis.summary import (
    CSV_HEADER,
    Analysis,
    attribute_table,
    csv_rows,
    difference_table,
    main_table,
    published_attribute_table,
)
from pytracking.evaluation.datasets import get_dataset


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; `--help` explains it."""
    parser = argparse.ArgumentParser(prog='python -m pytracking.analyse',
                                     description='Analyse the saved results of trackers on one data set.')
    add = parser.add_argument
    add('trackers', nargs='*', metavar='TRACKER/PARAM[:RUNID]',
        help='trackers by name; with --results: names of folders in it (default: all of them)')
    add('--results', metavar='DIR', type=Path, help='a folder per tracker, with SEQ.txt files in it')
    add('--dataset', default='folder', metavar='NAME', help='registered data set (default: folder, needs --data)')
    add('--data', metavar='DIR', type=Path, help='folder of the data set (default: the environment\'s)')
    add('--published', metavar='NAME', help='show what is published for this data set (default: for --dataset)')
    add('--protocol', metavar='NAME', help=f'{", ".join(PROTOCOLS)} (default: the data set\'s)')
    add('--skip-missing', action='store_true', help='leave out sequences that not all trackers have finished')
    add('--attributes', action='store_true', help='tables by attribute')
    add('--top', type=int, default=5, metavar='N',
        help='best and worst sequences of each tracker; 0: none (default: 5)')
    add('--bootstrap', nargs=2, action='append', default=[], metavar=('A', 'B'),
        help='confidence interval for A - B, by the names in the table; may be given several times')
    add('--draws', type=int, default=DRAWS, help=f'draws of the bootstrap (default: {DRAWS})')
    add('--seed', type=int, default=0, help='of the bootstrap (default: 0)')
    add('--csv', metavar='FILE', type=Path, help='all figures in long form, by attribute and sequence too')
    add('--markdown', metavar='FILE', type=Path, help='the tables in Markdown')
    add('--latex', metavar='FILE', type=Path, help='the tables in LaTeX')
    add('--plots', metavar='DIR', type=Path, help='curves, bars by sequence, radar of attributes (PNG)')
    add('--html', metavar='FILE', type=Path, help='one interactive page, which needs no network')
    add('--embed-frames', type=int, default=0, metavar='N',
        help='put up to N small pictures a sequence into the page (default: 0, link to the images where they lie)')
    return parser.parse_args(arguments)


def check(options: argparse.Namespace) -> None:
    """What can be said of the options before anything is read.

    Raises:
        UserError: numbers out of range, or options that do not go together.
    """
    for name, least in (('draws', 1), ('top', 0), ('seed', 0), ('embed_frames', 0)):
        if getattr(options, name) < least:
            raise UserError(f'--{name.replace("_", "-")} must be at least {least}, got {getattr(options, name)}')
    if not options.trackers and options.results is None:
        raise UserError('nothing to analyse: name trackers as TRACKER/PARAM, or give --results DIR')
    if options.embed_frames and options.html is None:
        raise UserError('--embed-frames needs --html FILE')
    if options.protocol is not None:
        get_protocol(options.protocol)
    for name in ('csv', 'markdown', 'latex', 'html'):
        path = getattr(options, name)
        if path is not None and path.is_dir():
            raise UserError(f'--{name} {path} is a folder: name a file')
    if options.plots is not None and options.plots.exists() and not options.plots.is_dir():
        raise UserError(f'--plots {options.plots} is a file: name a folder')


def analyse(options: argparse.Namespace) -> Analysis:
    """Read, evaluate and compare.

    Raises:
        UserError: anything that is not there, or does not fit.
    """
    published = published_rows(options.published or options.dataset)
    if options.published is not None and not published:
        raise UserError(unknown('data set with published figures', options.published, plugins.names(GROUP)))
    sequences = get_dataset(options.dataset, root=options.data)
    trackers: Sequence[HasResults]
    if options.results is not None:
        trackers = result_folders(options.results, sequences, options.trackers)
    else:
        trackers = named_trackers(options.trackers)
    check_labels([tracker.label for tracker in trackers])
    results = extract_results(trackers, sequences, None, options.skip_missing, protocol=options.protocol)
    by_label = {item.label: item for item in results}
    differences = []
    for pair in options.bootstrap:
        first, second = (_pick(by_label, label) for label in pair)
        differences.append((first.label, second.label, [
            paired_bootstrap(first.result, second.result, measure, options.draws, seed=options.seed)
            for measure in first.result.curves]))
    results.sort(key=lambda item: -(item.result.success or 0.0))
    return Analysis(options.dataset, sequences, results, published, differences)


def _pick(by_label: dict[str, TrackerResult], label: str) -> TrackerResult:
    if label not in by_label:
        raise UserError(unknown('tracker of --bootstrap', label, list(by_label)))
    return by_label[label]


def tables_of(analysis: Analysis, attributes: bool) -> list[export.Table]:
    """The tables in the order in which they are shown."""
    tables = [main_table(analysis)]
    if attributes:
        for measure in analysis.measures:
            others = published_attribute_table(analysis, measure)
            tables += [attribute_table(analysis, measure), *([] if others is None else [others])]
    return [*tables, difference_table(analysis)] if analysis.differences else tables


def report(analysis: Analysis, options: argparse.Namespace) -> None:
    """Print the tables and write what is asked for; every file is named on stdout."""
    tables = tables_of(analysis, options.attributes)
    print(export.text(tables))
    for item in analysis.results if options.top else ():
        print('\n' + ranking_text(item, rank_sequences(item, analysis.counted, 'success'), 'success', options.top))
    written: list[Path] = []
    if options.csv is not None:
        export.write_csv(options.csv, csv_rows(analysis), CSV_HEADER)
        written.append(options.csv)
    for path, form in ((options.markdown, export.markdown), (options.latex, export.latex)):
        if path is not None:
            write_whole(path, form(tables).encode())
            written.append(path)
    if options.plots is not None:
        from pytracking.analysis.charts import save_charts
        written += save_charts(analysis, options.plots)
        if len(analysis.members) < 3:
            print(f'no radar: it needs three attributes, the data set names {len(analysis.members)}', file=sys.stderr)
    if options.html is not None:
        from pytracking.analysis.report import write_report
        for note in write_report(analysis, options.html, options.embed_frames):
            print(note, file=sys.stderr)
        written.append(options.html)
    if written:
        print('\nwritten: ' + ', '.join(map(str, written)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0."""
    options = parse_arguments(arguments)
    check(options)
    report(analyse(options), options)
    return 0


def entry() -> None:
    """The console command."""
    cli(main)


if __name__ == '__main__':
    entry()
