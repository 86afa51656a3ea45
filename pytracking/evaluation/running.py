"""Running trackers over data sets: in this process, in several, or on many machines; one result file a sequence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltr.admin.errors import UserError
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.job import Failure, Job, Tracked, track
from pytracking.evaluation.network_record import (
    NetworkRecord,
    RunNetwork,
    check_record,
    record_of,
    run_network,
    write_record,
)
from pytracking.evaluation.pool import OnFrames, Results, in_processes
from pytracking.evaluation.progress import RunProgress
from pytracking.evaluation.report import Outcome, RunReport
from pytracking.evaluation.results import finished_length, is_complete, result_file, write_results
from pytracking.evaluation.tracker import Tracker

if TYPE_CHECKING:
    from pytracking.visualization.visualizer import Visualizer


def run_dataset(dataset: Iterable[Sequence], trackers: Iterable[Tracker], debug: int | bool = False,
                threads: int = 0, visdom_info: dict[str, Any] | None = None, *, retries: int = 1,
                ray: str | None = None) -> RunReport:
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

    Raises:
        UserError: before anything is run: unknown tracker or parameters, a network that is not there, or results of
            another network in the folder; no visdom, no Ray, or no server of theirs.
        KeyboardInterrupt: on Ctrl-C, after the workers have ended; finished sequences stay.
    """
    if threads < 0:
        raise UserError(f'the number of worker processes must not be negative, got {threads}')
    if retries < 0:
        raise UserError(f'the number of retries must not be negative, got {retries}')
    several = (threads > 0 or ray is not None) and not debug
    if several and (visdom_info or {}).get('use_visdom'):
        raise UserError('the live view shows one sequence at a time: leave out --threads and --ray, or --use_visdom')
    sequences, trackers = list(dataset), list(trackers)
    report, jobs = _jobs(sequences, trackers, check_trackers(trackers))
    queue = deque(sorted(jobs, key=lambda job: -len(job.sequence.frames)) if several else jobs)
    with _live_view(visdom_info, int(debug)) as visualizer, RunProgress(jobs) as progress:
        if several and ray is not None:
            from pytracking.evaluation.ray_pool import on_ray
            results = on_ray(queue, ray, threads, progress.add)
        elif several and len(jobs) > 1:
            results = in_processes(queue, min(threads, len(jobs)), progress.add)
        else:
            results = _here(queue, debug, progress.add, visualizer)
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


def check_trackers(trackers: Iterable[Tracker]) -> list[RunNetwork | None]:
    """Find out what every sequence would fail by, once; then record the networks, and return them.

    Raises:
        UserError: as `run_dataset`.
    """
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


def _here(queue: deque[Job], debug: int | bool, on_frames: OnFrames, visualizer: Visualizer | None) -> Results:
    while queue:
        job = queue.popleft()
        yield job, track(job, debug, partial(on_frames, job), visualizer)


def _outcome(job: Job, result: Tracked | Failure) -> Outcome:
    """Write the result; one that cannot be written is a failure, too."""
    tracker, sequence = job.tracker, job.sequence
    if isinstance(result, Tracked):
        try:
            write_results(tracker.results_dir, sequence.name, result.boxes, result.times)
        except OSError as error:
            result = Failure(f'cannot write the result: {error}')
        else:
            return Outcome(tracker.label, sequence.name, 'done', len(sequence.frames), result.seconds, job.note)
    times = f' ({job.attempt} attempts)' if job.attempt > 1 else ''
    return Outcome(tracker.label, sequence.name, 'failed', message=result.message + times)
