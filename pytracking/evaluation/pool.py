"""Worker processes: one job at a time each; a dead one costs its job and no other.

Workers return boxes and write nothing, so they can be ended at any moment; and they end by themselves when their
parent has died.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait

import torch

from pytracking.evaluation.job import Failure, Job, Tracked, track

OnFrames = Callable[[Job, int], None]
Results = Generator[tuple[Job, Tracked | Failure], None, None]

REPORT_INTERVAL = 0.1  # s between two messages of a worker
PATIENCE = 5.0         # s that a process has to end when it is told to


def in_processes(queue: deque[Job], workers: int, on_frames: OnFrames) -> Results:
    """Work through a queue in spawned processes that share the processor's cores.

    The consumer may put jobs back into the queue. When the generator is closed, by an exception too, running jobs are
    ended at once.

    Args:
        queue: jobs, from left to right.
        workers: number of processes.
        on_frames: called in this process with a job and the number of its frames that were tracked since.

    Yields:
        Each job with its result, in the order in which they come.
    """
    crew: list[_Worker] = []
    share = max(1, torch.get_num_threads() // workers)
    try:
        while queue or crew:
            while queue and len(crew) < workers:
                crew.append(_Worker(share))
                crew[-1].give(queue.popleft())
            for connection in wait([worker.connection for worker in crew]):
                worker = next(one for one in crew if one.connection is connection)
                message = worker.receive()
                if isinstance(message, int):
                    on_frames(worker.job, message)
                    continue
                yield worker.job, message
                if worker.process.is_alive() and queue:
                    worker.give(queue.popleft())
                else:
                    worker.dismiss()
                    crew.remove(worker)
    finally:
        for worker in crew:
            worker.process.terminate()
        for worker in crew:
            worker.dismiss()


class _Worker:
    """A process, as its parent sees it.

    Args:
        threads: that torch may use in it.
    """

    job: Job

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context('spawn')
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, threads), daemon=True)
        with _without_ctrl_c():
            self.process.start()
        other.close()  # only the process holds it now: so its death closes the pipe

    def give(self, job: Job) -> None:
        self.job = job
        with suppress(BrokenPipeError, ConnectionResetError):  # it has died: `receive` tells
            self.connection.send(job)

    def receive(self) -> int | Tracked | Failure:
        """Frames since the last message, or a result; blocks until there is one."""
        try:
            return self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join(PATIENCE)
            return Failure(f'the worker process died ({_reason(self.process.exitcode)})')

    def dismiss(self) -> None:
        """End the process: an idle one sees the closed pipe, any other is killed."""
        self.connection.close()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _reason(code: int | None) -> str:
    if code is None or code >= 0:
        return f'exit status {code}'
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f'signal {-code}'
    return f'{name}, out of memory?' if name == 'SIGKILL' else name


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes that are started inside never see Ctrl-C, not even while they import: it is their parent's business."""
    if sys.platform == 'win32':
        yield
        return
    resource_tracker.ensure_running()  # the first process would start it, and that unblocks signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def share_cores(threads: int) -> None:
    """Let torch and OpenCV use so many threads in this process."""
    import cv2
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)


def _serve(connection: Connection, threads: int) -> None:
    """The process: jobs in, results out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    share_cores(threads)
    try:
        while True:
            job = connection.recv()
            connection.send(track(job, progress=_Reporter(connection)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


class _Reporter:
    """Sends the number of tracked frames, now and then."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.frames, self.sent = connection, 0, time.monotonic()

    def __call__(self, frames: int) -> None:
        self.frames += frames
        now = time.monotonic()
        if now - self.sent >= REPORT_INTERVAL:
            self.connection.send(self.frames)
            self.frames, self.sent = 0, now


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
