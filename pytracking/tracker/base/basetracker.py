"""The face that a tracker shows to the evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from pytracking.utils.params import TrackerParams


class BaseTracker(ABC):
    """A single-object tracker: one object is made per sequence.

    Args:
        params: the settings that `pytracking.parameter.NAME.PARAM.parameters()` returned.
    """

    def __init__(self, params: TrackerParams) -> None:
        self.params = params

    @abstractmethod
    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """Learn the target from the first frame.

        Args:
            image: (H, W, 3) uint8, RGB.
            info: `init_bbox` is the target's box, `xywh`, image px; multi-object data sets may add
                `init_mask`, `object_ids`, `sequence_object_ids`.

        Returns:
            Possibly empty; `time` (seconds) replaces the time that the caller measured, and `target_bbox` is
            ignored: the given box is the result of the first frame.
        """

    @abstractmethod
    def track(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """Find the target in the next frame.

        Args:
            image: (H, W, 3) uint8, RGB.
            info: `previous_output` is what this method (or `initialize`) returned for the frame before.

        Returns:
            `target_bbox` (4 floats, `xywh`, image px) and, optionally, `time` in seconds.
        """
