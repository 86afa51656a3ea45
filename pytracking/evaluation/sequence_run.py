"""A tracker on its way through a sequence, frame by frame."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.bounding_box_utils import meets_image, outside_image
from pytracking.evaluation.data import Sequence
from pytracking.tracker.base import BaseTracker


class SequenceRun:
    """What a tracker has found so far in a sequence, whose images are handed in one after the other.

    Args:
        tracker: a fresh one.
        sequence: its first box is given to the tracker.

    Attributes:
        boxes: the given box, then one a frame, 4 floats, `xywh`, image px.
        seconds: of each frame.
        output: what the tracker returned last.
        blind: number of frames whose scores were not finite.
    """

    def __init__(self, tracker: BaseTracker, sequence: Sequence) -> None:
        self.tracker, self.sequence = tracker, sequence
        self.boxes: list[list[float]] = []
        self.seconds: list[float] = []
        self.output: dict[str, Any] = {}
        self.blind = 0

    @property
    def path(self) -> str:
        """The frame that comes next."""
        return self.sequence.frames[len(self.boxes)]

    @property
    def done(self) -> bool:
        """Whether there is none."""
        return len(self.boxes) == len(self.sequence.frames)

    @property
    def found(self) -> dict[str, Any]:
        """All of it, see `Tracker.run_sequence`."""
        return {'target_bbox': self.boxes, 'time': self.seconds, 'blind': self.blind}

    def frame(self, image: np.ndarray) -> None:
        """Track the next frame; the first one is learned from.

        Raises:
            UserError: the first box lies outside the image.
        """
        if self.boxes:
            start = time.perf_counter()
            output = self.tracker.track(image, {'previous_output': self.output})
            self.add(output, time.perf_counter() - start)
            return
        info = self.sequence.init_info()
        check_box(info['init_bbox'], image, self.path)
        start = time.perf_counter()
        output = self.tracker.initialize(image, info) or {}
        self._keep([float(value) for value in info['init_bbox']], output, time.perf_counter() - start)

    def add(self, output: dict[str, Any], seconds: float) -> None:
        """Take down what the tracker returned for the next frame, and how long it took, unless it says so itself.

        Raises:
            ValueError: there is no box in it.
        """
        self._keep(output_box(output, self.path), output, seconds)

    def _keep(self, box: list[float], output: dict[str, Any], seconds: float) -> None:
        self.output = output
        self.blind += math.isnan(float(output.get('confidence', 0)))
        self.boxes.append(box)
        self.seconds.append(float(output.get('time', seconds)))


def check_box(box: list[float], image: np.ndarray, place: object, remedy: str = 'correct the ground truth') -> None:
    """Make sure that a first box, `xywh`, image px, is one that meets the image.

    Raises:
        UserError: it is not; `place` is named.
    """
    height, width = image.shape[:2]
    if not meets_image(box, width, height):
        raise UserError(f'the first {outside_image(box, place, width, height)}; {remedy}'.replace('  ', ' '))


def output_box(output: dict[str, Any], place: object) -> list[float]:
    """The box in a tracker's output, 4 floats, `xywh`, image px.

    Raises:
        ValueError: there is none, or it is no box; `place` is named.
    """
    box = [float(value) for value in output['target_bbox']]
    if len(box) != 4 or any(map(math.isinf, box)):
        raise ValueError(f'the tracker returned {box} instead of a box for {place}')
    return box
