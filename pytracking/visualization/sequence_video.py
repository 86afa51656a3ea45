"""Saved results on the frames of a sequence, and a video of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.results import read_boxes
from pytracking.evaluation.tracker import Tracker
from pytracking.visualization.drawing import GROUND_TRUTH, draw
from pytracking.visualization.video import RATE, VideoWriter


def drawn_frames(trackers: Iterable[Tracker], sequence: Sequence) -> Iterator[np.ndarray]:
    """The frames of a sequence with the saved boxes of trackers, and the ground truth in white; uint8, RGB.

    Raises:
        UserError: a result is missing or malformed, or a frame cannot be read.
    """
    rows = {tracker.label: read_boxes(tracker.results_dir, sequence) for tracker in trackers}
    for index, frame in enumerate(sequence.frames):
        boxes = {label: boxes[index] for label, boxes in rows.items()}
        if index < len(sequence.ground_truth_rect):
            boxes = {GROUND_TRUTH: sequence.ground_truth_rect[index], **boxes}
        yield draw(read_image(frame), boxes, f'{sequence.name} {index + 1}/{len(sequence.frames)}')


def save_sequence_video(trackers: Iterable[Tracker], sequence: Sequence, path: str | Path, rate: float = RATE) -> None:
    """Write a video of the `drawn_frames` of a sequence.

    Raises:
        UserError: as there, or the video cannot be written.
    """
    with VideoWriter(path, rate) as video:
        for picture in drawn_frames(trackers, sequence):
            video.add(picture)
