"""One tracker on one sequence, in whatever process; nothing is written here."""

from __future__ import annotations

import time
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.seeding import seed_everything
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.network_record import RunNetwork
from pytracking.evaluation.tracker import Tracker

if TYPE_CHECKING:
    from pytracking.visualization.visualizer import Visualizer


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Attributes:
        network: what all sequences of the run keep to.
        note: for the report, on what lay in the results folder.
        attempt: 1 at first.
    """

    tracker: Tracker
    sequence: Sequence
    network: RunNetwork | None = None
    note: str = ''
    attempt: int = 1

    @property
    def key(self) -> tuple[str, str]:
        """The same for all attempts at one result, and for no other result."""
        return str(self.tracker.results_dir), self.sequence.name


@dataclass(frozen=True)
class Tracked:
    """A tracked sequence.

    Attributes:
        boxes: (n, 4), `xywh`, image px.
        times: (n,) seconds of each frame, as the tracker's speed counts.
        seconds: all of it, with reading the images.
        note: for the report.
    """

    boxes: np.ndarray
    times: np.ndarray
    seconds: float
    note: str = ''


@dataclass(frozen=True)
class Failure:
    """Why a sequence was not tracked, in one line."""

    message: str


def track(job: Job, debug: int | bool = False, progress: Callable[[int], Any] | None = None,
          visualizer: Visualizer | None = None) -> Tracked | Failure:
    """Run a tracker on a sequence.

    The random numbers depend on the sequence's name and the run number alone. `debug`, `progress` and `visualizer` as
    for `Tracker.run_sequence`; with `debug`, anything but a UserError is raised instead of returned.
    """
    try:
        seed(job)
        start = time.perf_counter()
        output = job.tracker.run_sequence(job.sequence, debug, progress, job.network, visualizer)
        return tracked(output, time.perf_counter() - start)
    except Exception as error:
        if debug and not isinstance(error, UserError):
            raise
        return failure(error)


def tracked(output: dict[str, Any], seconds: float) -> Tracked:
    """The result that `Tracker.run_sequence` returned, and how long all of it took."""
    blind = output.get('blind')
    note = f'{blind} frames with scores that are not finite, taken for frames without the target' if blind else ''
    return Tracked(np.array(output['target_bbox']), np.array(output['time']), seconds, note)


def seed(job: Job) -> None:
    """Let random numbers depend on the sequence's name and the run number alone."""
    seed_everything(zlib.crc32(job.sequence.name.encode()), job.tracker.run_id or 0)


def failure(error: Exception) -> Failure:
    """What ended a job, in one line."""
    if isinstance(error, UserError):
        return Failure(str(error))
    place = traceback.extract_tb(error.__traceback__)[-1]
    message = ' '.join(f'{type(error).__name__}: {error}'.split())
    return Failure(f'{message} ({place.filename}:{place.lineno}; --debug 1 shows the trace-back)')
