"""Run a tracker over a data set and print its table: `python pytracking/run_tracker.py TRACKER PARAM ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if not __package__:  # run as a script: import from the repository root, never from this folder
    _HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(_HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != _HERE)]

from ltr.admin.errors import UserError, cli
from ltr.admin.plugins import unknown
from pytracking.analysis.extract_results import extract_results
from pytracking.analysis.plot_results import results_table
from pytracking.analysis.protocols import PROTOCOLS, get_protocol
from pytracking.evaluation.data import Sequence, SequenceList
from pytracking.evaluation.datasets import get_dataset
from pytracking.evaluation.running import RunReport, run_dataset
from pytracking.evaluation.tracker import Tracker


def run_tracker(tracker_name: str, tracker_param: str, run_id: int | None = None,
                dataset_name: str = 'folder', sequence: str | int | None = None, debug: int = 0,
                threads: int = 0, visdom_info: dict[str, object] | None = None, *,
                data: str | Path | None = None, protocol: str | None = None, max_frames: int | None = None,
                results: str | Path | None = None) -> RunReport:
    """Run a tracker and print the table of what it has finished.

    Args:
        tracker_name, tracker_param, run_id: see `Tracker`.
        dataset_name: a registered data set.
        sequence: name or position (from 0) of a single sequence.
        debug, threads, visdom_info: see `run_dataset`.
        data: folder of the data set; by default the environment's.
        protocol: how to count; by default the data set's.
        max_frames: cut sequences to their first frames.
        results: folder of all results; by default the environment's.

    Raises:
        UserError: unknown tracker, parameters, data set, sequence or protocol, or bad data.
    """
    if max_frames is not None and max_frames < 1:
        raise UserError(f'--max-frames must be at least 1, got {max_frames}')
    if protocol is not None:
        get_protocol(protocol)
    tracker = Tracker(tracker_name, tracker_param, run_id, results_path=results)
    tracker.get_tracker_class()
    sequences = get_dataset(dataset_name, root=data)
    if sequence is not None:
        sequences = SequenceList([_pick(sequences, sequence)], sequences.protocol)
    if max_frames is not None:
        sequences = SequenceList([item.first(max_frames) for item in sequences], sequences.protocol)
    report = run_dataset(sequences, [tracker], debug, threads, visdom_info)
    failed = {outcome.sequence for outcome in report.failures}
    left = SequenceList([item for item in sequences if item.name not in failed and not item.init_only],
                        protocol or sequences.protocol)
    print(f'results: {tracker.results_dir}')
    unlabelled = sum(item.init_only for item in sequences)
    if unlabelled:
        print(f'{unlabelled} sequences have a box for the first frame only: run, but not evaluated')
    if left:
        print(results_table(extract_results([tracker], left)))
    return report


def _pick(sequences: SequenceList, which: str | int) -> Sequence:
    """A sequence by name, or by position where no name fits."""
    names = [item.name for item in sequences]
    if which in names:
        return sequences[str(which)]
    if str(which).isdecimal():
        if int(which) >= len(names):
            raise UserError(f'sequence {which} does not exist: there are {len(names)}, counted from 0')
        return sequences[int(which)]
    raise UserError(unknown('sequence', str(which), names))


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; `--help` explains it."""
    parser = argparse.ArgumentParser(
        description='Run a tracker over a data set and print its table. Finished sequences are skipped.')
    add = parser.add_argument
    add('tracker_name', help='name of the tracker')
    add('tracker_param', help='name of its parameter module')
    add('--runid', type=int, help='number of the run, part of the results folder')
    add('--dataset_name', '--dataset', default='folder', metavar='NAME',
        help='registered data set (default: folder, which needs --data)')
    add('--data', metavar='DIR', help='folder of the data set (default: the environment\'s)')
    add('--sequence', metavar='NAME', help='name or number (from 0) of a single sequence')
    add('--debug', type=int, default=0,
        help='debug level of the tracker; above 0 runs in one process and shows trace-backs')
    add('--threads', type=int, default=0, help='worker processes; 0 runs in this one')
    add('--protocol', metavar='NAME', help=f'{", ".join(PROTOCOLS)} (default: the data set\'s)')
    add('--max-frames', type=int, metavar='N', help='only the first N frames of each sequence')
    add('--results', metavar='DIR', help='folder of all results (default: the environment\'s)')
    add('--use_visdom', action=argparse.BooleanOptionalAction, default=False,
        help='live display; not in this version')
    add('--visdom_server', default='127.0.0.1', help='not in this version')
    add('--visdom_port', type=int, default=8097, help='not in this version')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 1 when a sequence failed."""
    options = parse_arguments(arguments)
    visdom = {'use_visdom': options.use_visdom, 'server': options.visdom_server, 'port': options.visdom_port}
    report = run_tracker(options.tracker_name, options.tracker_param, options.runid, options.dataset_name,
                         options.sequence, options.debug, options.threads, visdom, data=options.data,
                         protocol=options.protocol, max_frames=options.max_frames, results=options.results)
    return 1 if report.failures else 0


def entry() -> None:
    """The console command."""
    cli(main)


if __name__ == '__main__':
    entry()
