"""Running trackers over data sets: in this process or in several, one result file a sequence."""

from __future__ import annotations

import sys
import time
import traceback
import zlib
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import as_completed
from contextlib import closing
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ltr.admin.errors import UserError
from ltr.admin.seeding import seed_everything
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.network_record import (
    NetworkRecord,
    RunNetwork,
    check_record,
    record_of,
    run_network,
    write_record,
)
from pytracking.evaluation.pool import worker_pool
from pytracking.evaluation.results import finished_length, is_complete, result_file, write_results
from pytracking.evaluation.tracker import Tracker


@dataclass(frozen=True)
class Outcome:
    """What became of one sequence: `status` is 'done', 'skipped' (was finished) or 'failed'."""

    tracker: str
    sequence: str
    status: str
    frames: int = 0
    seconds: float = 0.0
    message: str = ''

    def line(self) -> str:
        """One line for the terminal."""
        if self.status == 'failed':
            return f'{self.tracker}, {self.sequence}: {self.message}'
        speed = f'{self.frames / self.seconds:.1f} frames/s' if self.seconds > 0 else '-'
        note = f' ({self.message})' if self.message else ''
        return f'{self.tracker}, {self.sequence}: {self.frames} frames, {speed}{note}'


@dataclass
class RunReport:
    """Outcomes of a run in the order in which they came."""

    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, status: str) -> int:
        """Number of sequences with this status."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def failures(self) -> list[Outcome]:
        """The failed ones."""
        return [outcome for outcome in self.outcomes if outcome.status == 'failed']


def run_dataset(dataset: Iterable[Sequence], trackers: Iterable[Tracker], debug: int | bool = False,
                threads: int = 0, visdom_info: dict[str, Any] | None = None) -> RunReport:
    """Run every tracker on every sequence and save the results; finished sequences are skipped.

    One sequence's failure does not stop the others: failures are reported in one line each at the end, on
    stderr, and in the return value. The random numbers of a sequence depend on its name and the run number
    alone, so the order and the number of processes do not change a result (up to the rounding of another
    thread count). The network of a tracker is looked up once, for all sequences, and recorded beside the results.

    Args:
        dataset: the sequences.
        trackers: the trackers.
        debug: level handed to the trackers; above 0 nothing is run in parallel, and a failure that is not the
            user's mistake is raised with its trace-back.
        threads: number of worker processes; 0 runs in this one.
        visdom_info: `use_visdom` True is refused: there is no live display in this version.

    Raises:
        UserError: before anything is run: unknown tracker or parameters, a network that is not there, or results of
            another network in the folder.
        KeyboardInterrupt: on Ctrl-C, after the workers have ended; finished sequences stay.
    """
    if (visdom_info or {}).get('use_visdom'):
        raise UserError('there is no live display in this version: leave use_visdom out')
    if threads < 0:
        raise UserError(f'the number of worker processes must not be negative, got {threads}')
    sequences, trackers = list(dataset), list(trackers)
    networks = _check_trackers(trackers)
    jobs = [(tracker, sequence, network) for (tracker, network), sequence in
            product(zip(trackers, networks, strict=True), sequences)]
    report = RunReport()
    with tqdm(total=sum(len(sequence.frames) for _, sequence, _ in jobs), unit='frame', disable=None) as bar:
        parallel = threads > 0 and not debug and len(jobs) > 1
        outcomes = _in_pool(jobs, threads, bar) if parallel else _in_process(jobs, debug, bar)
        with closing(outcomes):  # so that Ctrl-C in this loop also ends the workers
            for outcome in outcomes:
                report.outcomes.append(outcome)
                if outcome.status == 'done':
                    tqdm.write(outcome.line(), file=sys.stdout)
    _summarise(report)
    return report


def _summarise(report: RunReport) -> None:
    print(f'{report.count("done")} sequences run, {report.count("skipped")} were finished before, '
          f'{report.count("failed")} failed', flush=True)
    for outcome in report.failures:
        print(f'failed: {outcome.line()}', file=sys.stderr)


def _check_trackers(trackers: list[Tracker]) -> list[RunNetwork | None]:
    """Find out what every sequence would fail by, once; then record the networks, and return them."""
    networks: list[RunNetwork | None] = []
    records: list[tuple[Path, NetworkRecord]] = []
    for tracker in trackers:
        tracker.get_tracker_class()
        params = tracker.get_parameters()
        network = run_network(params)
        load = getattr(getattr(params, 'net', None), 'initialize', None)
        if callable(load):
            load()
        if network is not None:
            records.append((tracker.results_dir, record_of(network.path)))
            check_record(*records[-1])
        networks.append(network)
    for results_dir, record in records:
        write_record(results_dir, record)
    return networks


Job = tuple[Tracker, Sequence, RunNetwork | None]


def _in_process(jobs: list[Job], debug: int | bool, bar: Any) -> Generator[Outcome, None, None]:
    for tracker, sequence, network in jobs:
        before = bar.n
        yield run_job(tracker, sequence, debug, bar.update, network)
        bar.update(before + len(sequence.frames) - bar.n)


def _in_pool(jobs: list[Job], threads: int, bar: Any) -> Generator[Outcome, None, None]:
    with worker_pool(min(threads, len(jobs))) as pool:
        futures = {pool.submit(run_job, tracker, sequence, network=network): (tracker, sequence)
                   for tracker, sequence, network in jobs}
        for future in as_completed(futures):
            tracker, sequence = futures[future]
            error = future.exception()
            bar.update(len(sequence.frames))
            yield future.result() if error is None else Outcome(
                tracker.label, sequence.name, 'failed', message=f'{type(error).__name__}: {error}')


def run_job(tracker: Tracker, sequence: Sequence, debug: int | bool = False,
            progress: Callable[[int], Any] | None = None, network: RunNetwork | None = None) -> Outcome:
    """Run one tracker on one sequence and save the result, unless a finished one is there.

    Arguments as for `Tracker.run_sequence`.

    Returns:
        The outcome; a failure is one too, except with `debug`, when anything but a UserError is raised.
    """
    note = ''
    try:
        note, finished = _existing(tracker, sequence)
        if finished:
            return Outcome(tracker.label, sequence.name, 'skipped', len(sequence.frames))
        seed_everything(zlib.crc32(sequence.name.encode()), tracker.run_id or 0)
        start = time.perf_counter()
        output = tracker.run_sequence(sequence, debug, progress, network)
        seconds = time.perf_counter() - start
        write_results(tracker.results_dir, sequence.name, np.array(output['target_bbox']),
                      np.array(output['time']))
        return Outcome(tracker.label, sequence.name, 'done', len(sequence.frames), seconds, note)
    except UserError as error:
        return Outcome(tracker.label, sequence.name, 'failed', message=str(error))
    except Exception as error:
        if debug:
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = ' '.join(f'{type(error).__name__}: {error}'.split())
        return Outcome(tracker.label, sequence.name, 'failed',
                       message=f'{message} ({place.filename}:{place.lineno}; --debug 1 shows the trace-back)')


def _existing(tracker: Tracker, sequence: Sequence) -> tuple[str, bool]:
    """A note on what lies in the results folder, and whether it is this sequence's finished result."""
    try:
        rows = finished_length(tracker.results_dir, sequence.name)
    except UserError as error:
        return f'replaced a damaged result: {error}', False
    if rows is None:
        return '', False
    if is_complete(rows, sequence):
        return '', True
    path = result_file(tracker.results_dir, sequence.name)
    return f'replaced {path}, which had {rows} rows instead of {len(sequence.frames)}', False
