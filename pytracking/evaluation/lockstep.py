"""Several sequences at a time in this process, a frame of each in every round, which pass the network together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ltr.admin.errors import UserError
from ltr.data.image_loader import read_image
from pytracking.evaluation.job import Failure, Job, Tracked, failure, seed, tracked
from pytracking.evaluation.pool import OnFrames, Results
from pytracking.evaluation.sequence_run import SequenceRun
from pytracking.evaluation.tracker import Tracker
from pytracking.tracker.base.steps import advance, offers_steps

READERS = 4
"""Threads that read images ahead, one frame a sequence."""


def check_lockstep(trackers: list[Tracker]) -> None:
    """Make sure that trackers can be run so.

    Raises:
        UserError: one of them does not offer it.
    """
    for tracker in trackers:
        if not offers_steps(tracker.get_tracker_class()):
            raise UserError(f'the tracker {tracker.name} tracks one sequence at a time: leave out --batch-sequences')


def in_lockstep(queue: deque[Job], at_once: int, on_frames: OnFrames) -> Results:
    """Work through a queue; where a sequence ends, the next one takes its place.

    The time of a frame, and of a sequence, is its share of the rounds that it was tracked in: times of all sequences
    add up. Trackers draw their random numbers from generators of their own, so that results are those of one sequence
    at a time, up to rounding.

    Args:
        queue: jobs, from left to right; the consumer may put jobs back.
        at_once: number of sequences at a time.
        on_frames: called with a job and the number of its frames that were tracked since.

    Yields:
        Each job with its result, in the order in which they come.

    Raises:
        UserError: too little memory on the device for so many.
    """
    lanes: list[_Lane] = []
    with ThreadPoolExecutor(min(at_once, READERS)) as readers:
        while queue or lanes:
            lanes += [_Lane(queue.popleft(), readers) for _ in range(min(at_once - len(lanes), len(queue)))]
            _round(lanes)
            for lane in list(lanes):
                if not isinstance(lane.result, Failure):
                    on_frames(lane.job, 1)
                if lane.result is not None:
                    lanes.remove(lane)
                    yield lane.job, lane.result


def _round(lanes: list[_Lane]) -> None:
    """A frame of every lane: first frames one after the other, all others together."""
    started = time.perf_counter()
    images = {lane: image for lane in lanes if (image := lane.image()) is not None}
    waited = time.perf_counter() - started
    for lane in lanes:
        lane.seconds += waited / len(lanes)
    for lane in [lane for lane in images if lane.run is None]:
        lane.first(images.pop(lane))
    started = time.perf_counter()
    try:
        outcomes = advance([lane.steps(image) for lane, image in images.items()])
    except torch.cuda.OutOfMemoryError:
        raise UserError(f'{len(images)} sequences at a time do not fit into the memory of the device: lower '
                        '--batch-sequences') from None
    taken = time.perf_counter() - started
    for lane, outcome in zip(images, outcomes, strict=True):
        lane.take(outcome, taken / len(images))


class _Lane:
    """A job under way.

    Attributes:
        run: there after the first frame.
        result: there when the job is at its end.
        seconds: its share of the time so far.
    """

    def __init__(self, job: Job, readers: Executor) -> None:
        self.job, self.readers = job, readers
        self.run: SequenceRun | None = None
        self.result: Tracked | Failure | None = None
        self.seconds = 0.0
        self.coming = self._read(0)

    def _read(self, number: int) -> Future[np.ndarray]:
        return self.readers.submit(read_image, self.job.sequence.frames[number])

    @contextmanager
    def _caught(self) -> Iterator[None]:
        """An error is the job's result."""
        try:
            yield
        except Exception as error:
            self.result = failure(error)

    def image(self) -> np.ndarray | None:
        """The next frame, while the one after it is being read; `None` where it cannot be had."""
        with self._caught():
            image = self.coming.result()
            following = 1 + (len(self.run.boxes) if self.run else 0)
            if following < len(self.job.sequence.frames):
                self.coming = self._read(following)
            return image
        return None

    def first(self, image: np.ndarray) -> None:
        """Learn from the first frame."""
        started = time.perf_counter()
        with self._caught():
            seed(self.job)
            run = SequenceRun(self.job.tracker.new_tracker(network=self.job.network), self.job.sequence)
            run.frame(image)
            self.run = run
        self.seconds += time.perf_counter() - started
        self._end()

    def steps(self, image: np.ndarray) -> Any:
        """The tracker's work on a later frame, not begun."""
        assert self.run is not None
        return self.run.tracker.steps(image, {'previous_output': self.run.output})  # type: ignore[attr-defined]

    def take(self, outcome: dict[str, Any] | Exception, seconds: float) -> None:
        """What became of that, and its share of the time."""
        self.seconds += seconds
        with self._caught():
            if isinstance(outcome, Exception):
                raise outcome
            assert self.run is not None
            self.run.add(outcome, seconds)
        self._end()

    def _end(self) -> None:
        if self.result is None and self.run is not None and self.run.done:
            self.result = tracked(self.run.found, self.seconds)
