"""Sequences on the machines of a Ray cluster. Ray is an extra: it is imported when it is asked for."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from pathlib import Path
from types import ModuleType
from typing import Any

from ltr.admin.errors import UserError
from ltr.admin.local import PREFIX
from ltr.admin.signals import STATUS
from pytracking.evaluation.job import Failure, Job, Tracked, track
from pytracking.evaluation.pool import OnFrames, Results, share_cores


def on_ray(queue: deque[Job], address: str, at_once: int, on_frames: OnFrames) -> Results:
    """Work through a queue on a Ray cluster; one task is one sequence.

    The machines need this project, the images and the network at the same paths; boxes come back to this process, which
    writes them. The settings of this process that are environment variables (`PYTRACKING_...`) go with the tasks.

    Args:
        queue: jobs, from left to right; the consumer may put jobs back.
        address: 'HOST:PORT', 'auto' for the cluster of this machine, 'local' to start one here.
        at_once: number of sequences at a time; 0 takes as many as there are GPUs, or without GPUs cores.
        on_frames: called with a job and the number of its frames when they are done.

    Yields:
        Each job with its result, in the order in which they come.

    Raises:
        UserError: Ray is not installed, or there is no cluster at the address.
    """
    ray = _import_ray()
    _connect(ray, address)
    try:
        resources = ray.cluster_resources()
        gpus = float(resources.get('GPU', 0))
        at_once = at_once or max(1, int(gpus or resources.get('CPU', 1)))
        print(f'Ray, {address}: {at_once} sequences at a time', flush=True)
        run = ray.remote(num_cpus=1, num_gpus=min(1.0, gpus / at_once), max_retries=0)(_task)
        running: dict[Any, Job] = {}
        while queue or running:
            while queue and len(running) < at_once:
                job = queue.popleft()
                running[run.remote(job)] = job
            for reference in ray.wait(list(running))[0]:
                job, result = running.pop(reference), _result(ray, reference)
                if isinstance(result, Tracked):
                    on_frames(job, len(result.boxes))
                yield job, result
    finally:
        ray.shutdown()  # ends the running tasks of this process, on a cluster of others, too


def _task(job: Job) -> Tracked | Failure:
    share_cores(1)
    return track(job)


def _result(ray: ModuleType, reference: Any) -> Tracked | Failure:
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        return Failure(f'{type(error).__name__}: {" ".join(str(error).split())[:300]}')


def _import_ray() -> ModuleType:
    try:
        import ray
    except ImportError:
        raise UserError('--ray needs Ray, which is not installed: pip install ray') from None
    return ray


def _connect(ray: ModuleType, address: str) -> None:
    """Join or start a cluster; signals stay this program's."""
    variables = {name: value for name, value in os.environ.items() if name.startswith((PREFIX, 'OMP_'))}
    variables['PYTHONPATH'] = os.pathsep.join(filter(None, (_root(), os.environ.get('PYTHONPATH', ''))))
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, runtime_env={'env_vars': variables}, log_to_driver=False,
                 include_dashboard=False if address == 'local' else None, logging_level='error')
    except SystemExit:  # Ray's own handler of SIGTERM, whose status is 15
        raise SystemExit(STATUS) from None
    except Exception as error:  # Ray raises plain exceptions, too
        raise UserError(f'no Ray cluster at {address!r}: {" ".join(str(error).split())[:200]}; '
                        f'give HOST:PORT, auto, or local') from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _root() -> str:
    """The folder of this project's packages."""
    return str(Path(__file__).resolve().parents[2])
