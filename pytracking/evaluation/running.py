"""Running trackers over data sets: in this process, in several, or on many machines; one result file a sequence."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltr.admin.errors import UserError
from ltr.admin.whole import open_folder
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.job import Failure, Job, Tracked
from pytracking.evaluation.lockstep import check_lockstep
from pytracking.evaluation.network_record import (
    NetworkRecord,
    RunNetwork,
    check_record,
    record_of,
    run_network,
    write_record,
)
from pytracking.evaluation.progress import RunProgress
from pytracking.evaluation.report import Outcome, RunReport
from pytracking.evaluation.results import finished_length, is_complete, result_file, write_results
from pytracking.evaluation.tracker import Tracker
from pytracking.evaluation.ways import Way

if TYPE_CHECKING:
    from pytracking.visualization.visualizer import Visualizer


def run_dataset(dataset: Iterable[Sequence], trackers: Iterable[Tracker], debug: int | bool = False,
                threads: int = 0, visdom_info: dict[str, Any] | None = None, *, retries: int = 1,
                ray: str | None = None, batch_sequences: int = 1) -> RunReport:
    """Run every tracker on every sequence and save the results; finished sequences are skipped.

    One sequence's failure does not stop the others: it is tried again when the others are done, and failures are
    reported in one line each at the end, on stderr, and in the return value. The random numbers of a sequence depend on
    its name and the run number alone, so the order and the number of processes do not change a result (up to the
    rounding of another thread count). The network of a tracker is looked up once, for all sequences, and recorded
    beside the results. Only this process writes, each file as a whole or not at all.

    Args:
        dataset: the sequences.
        trackers: the trackers.
        debug: level handed to the trackers; above 0 nothing is run in parallel, and a failure that is not the
            user's mistake is raised with its trace-back.
        threads: number of worker processes; 0 runs in this one. With `ray`, the number of sequences at a time.
        visdom_info: `use_visdom` True opens a live view on `server`:`port`; not with several processes.
        retries: how often a failed sequence is tried again; never with `debug`.
        ray: address of a Ray cluster, 'auto' for the one of this machine, or 'local' to start one here.
        batch_sequences: number of sequences that pass the network together, in this process; not with `debug`.

    Raises:
        UserError: before anything is run: unknown tracker or parameters, a network that is not there, or results of
            another network in the folder; no visdom, no Ray, or no server of theirs. During the run: results cannot be
            written (full disk, no permission, the folder has gone); what was finished before stays.
        KeyboardInterrupt: on Ctrl-C, after the workers have ended; finished sequences stay.
    """
    if retries < 0:
        raise UserError(f'the number of retries must not be negative, got {retries}')
    way = Way(threads, ray, batch_sequences, debug, live=bool((visdom_info or {}).get('use_visdom')))
    sequences, trackers = list(dataset), list(trackers)
    if way.together:
        check_lockstep(trackers)
    report, jobs = _jobs(sequences, trackers, check_trackers(trackers))
    queue = way.queue(jobs)
    with _live_view(visdom_info, int(debug)) as visualizer, _told_when_stopped(report, len(jobs)), \
            RunProgress(jobs) as progress:
        results = way.results(queue, progress.add, visualizer)
        with closing(results):  # so that Ctrl-C in this loop also ends the workers
            for job, result in results:
                if isinstance(result, Failure) and job.attempt <= retries and not debug:
                    progress.again(job, result.message)
                    queue.append(replace(job, attempt=job.attempt + 1))
                    continue
                report.outcomes.append(_outcome(job, result))
                progress.end(job, report.outcomes[-1])
    report.print_summary()
    return report


@contextmanager
def _told_when_stopped(report: RunReport, jobs: int) -> Iterator[None]:
    """Say what is saved when a run ends before its end: by Ctrl-C, by SIGTERM, or because nothing can be written."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, UserError):
        print(f'\nstopped: {report.count("done")} of {jobs} sequences are finished and saved, the same command runs '
              'the rest', file=sys.stderr)
        raise


def check_trackers(trackers: Iterable[Tracker]) -> list[RunNetwork | None]:
    """Find out what every sequence would fail by, once; then record the networks, and return them.

    Raises:
        UserError: as `run_dataset`; or results cannot be written.
    """
    networks: list[RunNetwork | None] = []
    records: list[tuple[Path, NetworkRecord]] = []
    for tracker in trackers:
        tracker.get_tracker_class()
        params = tracker.get_parameters()
        tracker.notice(params)
        network = run_network(params)
        load = getattr(getattr(params, 'net', None), 'initialize', None)
        if callable(load):
            load()
        if network is not None:
            records.append((tracker.results_dir, record_of(network.path, _speed(params))))
            check_record(*records[-1])
        networks.append(network)
    for tracker in trackers:
        open_folder(tracker.results_dir, 'choose another --results')
    for results_dir, record in records:
        write_record(results_dir, record)
    return networks


def _speed(params: Any) -> str:
    return getattr(getattr(getattr(params, 'net', None), 'speed', None), 'name', '')


def _jobs(sequences: list[Sequence], trackers: list[Tracker],
          networks: list[RunNetwork | None]) -> tuple[RunReport, list[Job]]:
    """What was finished before, and what is left to do."""
    report, jobs = RunReport(), []
    for tracker, network in zip(trackers, networks, strict=True):
        for sequence in sequences:
            note, finished = _existing(tracker, sequence)
            if finished:
                report.outcomes.append(Outcome(tracker.label, sequence.name, 'skipped', len(sequence.frames)))
            else:
                jobs.append(Job(tracker, sequence, network, note))
    return report, jobs


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


def _live_view(visdom_info: dict[str, Any] | None, debug: int) -> AbstractContextManager[Visualizer | None]:
    info = visdom_info or {}
    if not info.get('use_visdom'):
        return nullcontext()
    from pytracking.visualization.visdom_view import VisdomView
    return closing(VisdomView(str(info.get('server') or '127.0.0.1'), int(info.get('port') or 8097), debug))


def _outcome(job: Job, result: Tracked | Failure) -> Outcome:
    """Write the result. One that cannot be written ends the run: what follows could not be written either.

    Raises:
        UserError: so it is, or the folder has gone.
    """
    tracker, sequence = job.tracker, job.sequence
    if isinstance(result, Tracked):
        if not tracker.results_dir.is_dir():
            raise UserError(f'cannot write the result of {sequence.name}: {tracker.results_dir} has gone during the '
                            'run; put it back (or mount its disk again), or run again from the start')
        write_results(tracker.results_dir, sequence.name, result.boxes, result.times)
        note = '; '.join(filter(None, (job.note, result.note)))
        return Outcome(tracker.label, sequence.name, 'done', len(sequence.frames), result.seconds, note)
    times = f' ({job.attempt} attempts)' if job.attempt > 1 else ''
    return Outcome(tracker.label, sequence.name, 'failed', message=result.message + times)
