"""What tracks without a network: OpenCV's classic trackers where it has them, and a template that is looked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence

REACH = 2.5
"""Side of the window that the template is looked for in, over the side of the target."""
CLASSIC = ('KCF', 'CSRT')


def classic() -> dict[str, Callable[[], Any]]:
    """Makers of the classic trackers that this OpenCV has; version 5 without its extra modules has none."""
    homes = [cv2, getattr(cv2, 'legacy', None)]
    found = {name: next((getattr(home, f'Tracker{name}_create') for home in homes
                         if hasattr(home, f'Tracker{name}_create')), None) for name in CLASSIC}
    return {name: maker for name, maker in found.items() if maker is not None}


def with_opencv(make: Callable[[], Any], sequence: Sequence) -> NDArray[np.float64]:
    """Boxes (n, 4) `xywh`, image px, of one of OpenCV's trackers; where it reports a loss the box stays."""
    tracker = make()
    boxes = [sequence.ground_truth_rect[0]]
    tracker.init(_bgr(sequence.frames[0]), tuple(round(value) for value in boxes[0]))
    for path in sequence.frames[1:]:
        found, box = tracker.update(_bgr(path))
        boxes.append(np.array(box, dtype=float) if found else boxes[-1])
    return np.array(boxes)


def with_template(sequence: Sequence) -> NDArray[np.float64]:
    """Boxes (n, 4) `xywh`, image px: the first target, of unchanging size, where its correlation is greatest.

    Normalised cross-correlation of grey values in a window around the last place.
    """
    image = _grey(sequence.frames[0])
    x, y, w, h = sequence.ground_truth_rect[0]
    left, top = max(round(x), 0), max(round(y), 0)
    template = image[top:max(round(y + h), top + 2), left:max(round(x + w), left + 2)]
    if min(template.shape) < 2:
        return np.repeat(sequence.ground_truth_rect[:1], len(sequence.frames), axis=0)
    boxes = [(x, y, w, h)]
    for path in sequence.frames[1:]:
        image = _grey(path)
        low = np.maximum((np.array([left, top]) - (REACH - 1) / 2 * np.array(template.shape[::-1])).astype(int), 0)
        reach = (REACH * np.array(template.shape[::-1])).astype(int)
        window = image[low[1]:low[1] + reach[1], low[0]:low[0] + reach[0]]
        if window.shape[0] >= template.shape[0] and window.shape[1] >= template.shape[1]:
            place = cv2.minMaxLoc(cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED))[3]
            left, top = int(low[0] + place[0]), int(low[1] + place[1])
        boxes.append((left, top, w, h))
    return np.array(boxes, dtype=float)


def _bgr(path: str) -> NDArray[np.uint8]:
    return np.ascontiguousarray(read_image(path)[..., ::-1])


def _grey(path: str) -> Any:
    return cv2.cvtColor(read_image(path), cv2.COLOR_RGB2GRAY)
