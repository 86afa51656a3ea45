"""A tracker for programs: frames in, boxes out, one after the other."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from ltr.admin.errors import UserError
from pytracking.evaluation.network_record import RunNetwork
from pytracking.evaluation.sequence_run import check_box, output_box
from pytracking.evaluation.tracker import Tracker
from pytracking.tracker.base import BaseTracker
from pytracking.utils.images import as_rgb


def build_tracker(name: str, parameter_name: str = 'default', run_id: int | None = None,
                  speed: str | None = None) -> LiveTracker:
    """A tracker that is ready to be given frames; its network is loaded.

    Args:
        name: of the tracker, an installed plugin's, too.
        parameter_name: its parameter module.
        run_id: number of the run, for trackers whose random draws depend on it.
        speed: preset, see `pytracking.features.speed`.

    Raises:
        UserError: unknown names (near ones are given), the network is not found, or the device does not have the speed.
    """
    return LiveTracker(Tracker(name, parameter_name, run_id, speed=speed))


class LiveTracker:
    """One tracker on one stream of frames; `initialize` may be called again, for another target or stream.

    Images are RGB, (H, W, 3) uint8, as `ltr.data.image_loader.read_image` gives them. Grey ones (H, W) and 16-bit ones
    are taken, too, and treated as the image loader treats them. OpenCV's frames are BGR: give `frame[..., ::-1]`.

    Args:
        tracker: name and parameters.
        debug: level handed to the tracker.
        network: the file that it must use; by default what the parameters name.
    """

    def __init__(self, tracker: Tracker, debug: int = 0, network: RunNetwork | None = None) -> None:
        self.tracker, self.debug, self.network = tracker, debug, network
        tracker.get_tracker_class()  # a mistake in its name is told of before one in the parameters' name
        self._fresh: BaseTracker | None = self._new()
        tracker.notice(self._fresh.params)
        self._running: BaseTracker | None = None
        self._output: dict[str, Any] = {}
        self.frame = 0

    def _new(self) -> BaseTracker:
        tracker = self.tracker.new_tracker(self.debug, self.network)
        load = getattr(getattr(tracker.params, 'net', None), 'initialize', None)
        if callable(load):
            load()
        return tracker

    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """Learn the target from a first frame.

        Args:
            image: see the class.
            info: `init_bbox` is the target's box, `xywh`, image px.

        Returns:
            As `track`; the box is the given one.

        Raises:
            UserError: the image is none, or the box does not meet it.
        """
        if 'init_bbox' not in info:
            raise UserError("the tracker is told its target by {'init_bbox': [x, y, w, h]}")
        image = as_rgb(image, 'the first frame')
        box = [float(value) for value in info['init_bbox']]
        if len(box) != 4:
            raise UserError(f'init_bbox must be x, y, w, h, got {len(box)} numbers')
        check_box(box, image, '', remedy='give another box')
        tracker, self._fresh = self._fresh or self._new(), None  # trackers are made for one sequence
        start = time.perf_counter()
        output = tracker.initialize(image, {**info, 'init_bbox': box}) or {}
        self._running, self._output, self.frame = tracker, output, 1
        return self._answer({**output, 'target_bbox': box}, start)

    def track(self, image: np.ndarray, info: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find the target in the next frame.

        Args:
            image: see the class.
            info: more for the tracker, beside `previous_output`.

        Returns:
            `target_bbox` (4 floats, `xywh`, image px), `confidence` (greatest score of the tracker; NaN from trackers
            that have none, and for the first frame), `time` (seconds), and whatever else the tracker returns.

        Raises:
            UserError: before `initialize`, or the image is none.
        """
        if self._running is None:
            raise UserError('the tracker has no target yet: call initialize(image, {"init_bbox": [x, y, w, h]}) first')
        image = as_rgb(image, f'frame {self.frame + 1}')
        start = time.perf_counter()
        output = self._running.track(image, {**(info or {}), 'previous_output': self._output})
        self._output = output
        self.frame += 1
        return self._answer({**output, 'target_bbox': output_box(output, f'frame {self.frame}')}, start)

    def _answer(self, output: dict[str, Any], start: float) -> dict[str, Any]:
        output.setdefault('time', time.perf_counter() - start)
        output['confidence'] = float(output.get('confidence', math.nan))
        return output
