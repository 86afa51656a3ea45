"""Where the time of a tracked frame goes: the breakdown of `python -m pytracking.benchmark --parts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytracking.tracker.common.online import OnlineTracker

Clock = Callable[[], float]
PARTS = ('crop', 'backbone', 'head', 'scores', 'refinement', 'update', 'rest')
"""`crop` from the frame to a patch on the device; `head` the classification features; `scores` their filtering and the
peak; `refinement` the IoU features and the steps; `update` memory and filter; `rest` what lies between."""


def timed(action: Callable[[], Any], now: Clock) -> float:
    """How long an action takes."""
    start = now()
    action()
    return now() - start


def parts_of(tracker: OnlineTracker, images: list[np.ndarray], clock: Clock) -> dict[str, float]:
    """Mean time of every part of tracking `images`, in seconds a frame.

    Args:
        tracker: initialised; its methods are wrapped and stay so.
        images: frames.
        clock: time now, in seconds, when all work that was started is done.
    """
    spent: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    methods = {'_crops': 'crop', '_backbone': 'backbone', '_features': 'head', '_scores': 'scores',
               '_localize': 'scores', '_climb': 'refinement', '_update': 'update'}
    for name, part in methods.items():
        setattr(tracker, name, _clocked(getattr(tracker, name), part, spent, clock))
    start = clock()
    for image in images:
        tracker.track(image)
    total = clock() - start
    spent['rest'] = total - sum(spent.values())
    return {part: seconds / len(images) for part, seconds in spent.items()}


def _clocked(method: Callable[..., Any], part: str, spent: dict[str, float], clock: Clock) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        start = clock()
        result = method(*args, **kwargs)
        spent[part] += clock() - start
        return result
    return run
