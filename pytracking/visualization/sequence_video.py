"""A video of saved results."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.results import read_boxes
from pytracking.evaluation.tracker import Tracker
from pytracking.visualization.drawing import GROUND_TRUTH, draw
from pytracking.visualization.video import RATE, VideoWriter


def save_sequence_video(trackers: Iterable[Tracker], sequence: Sequence, path: str | Path, rate: float = RATE) -> None:
    """Write a video of a sequence with the saved boxes of trackers, and the ground truth in white.

    Raises:
        UserError: a result is missing or malformed, a frame cannot be read, or the video cannot be written.
    """
    rows = {tracker.label: read_boxes(tracker.results_dir, sequence) for tracker in trackers}
    with VideoWriter(path, rate) as video:
        for index, frame in enumerate(sequence.frames):
            boxes = {label: boxes[index] for label, boxes in rows.items()}
            if index < len(sequence.ground_truth_rect):
                boxes = {GROUND_TRUTH: sequence.ground_truth_rect[index], **boxes}
            video.add(draw(read_image(frame), boxes, f'{sequence.name} {index + 1}/{len(sequence.frames)}'))
