"""Worker processes that end when they are told to, and when their parent has died."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Event

import torch


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of spawned processes that share the processor's cores.

    When the body is left by an exception (Ctrl-C), waiting jobs are dropped and running ones are ended at
    once.

    Args:
        workers: number of processes.
    """
    context = multiprocessing.get_context('spawn')
    stop = context.Event()
    share = max(1, torch.get_num_threads() // workers)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(share, stop))
    try:
        yield pool
    except BaseException:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)


def _start_worker(threads: int, stop: Event) -> None:
    """Ctrl-C is the parent's business; a watcher ends this process on its word or after its death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
    threading.Thread(target=_watch, args=(stop,), daemon=True).start()


def _watch(stop: Event) -> None:
    parent = multiprocessing.parent_process()
    while not stop.wait(0.5):
        if parent is not None and not parent.is_alive():
            break
    os._exit(1)
