"""Pictures of trackers' results, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from ltr.admin.errors import UserError
from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.results import read_boxes
from pytracking.evaluation.tracker import Tracker

WHITE = (255, 255, 255)
COLOURS = ((255, 90, 80), (80, 220, 120), (90, 150, 255), (255, 200, 60), (220, 110, 240), (90, 220, 230))


def playback_results(trackers: Iterable[Tracker], sequence: Sequence) -> list[Path]:
    """Draw the saved boxes of trackers, and the ground truth in white, on every frame of a sequence.

    Returns:
        The pictures, `{result_plot_path}/playback/SEQUENCE/000001.png` and so on.

    Raises:
        UserError: a result is missing or malformed, or a frame cannot be read or written.
    """
    boxes = {tracker.label: read_boxes(tracker.results_dir, sequence) for tracker in trackers}
    folder = Path(local_env_settings().result_plot_path) / 'playback' / sequence.name
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for index, path in enumerate(sequence.frames):
        image = read_image(path)
        if index < len(sequence.ground_truth_rect):
            _draw(image, sequence.ground_truth_rect[index], 'ground truth', WHITE, 0)
        for line, (label, rows) in enumerate(boxes.items()):
            _draw(image, rows[index], label, COLOURS[line % len(COLOURS)], line + 1)
        pictures.append(folder / f'{index + 1:06d}.png')
        done, data = cv2.imencode('.png', cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        if not done:
            raise UserError(f'{pictures[-1]} cannot be encoded; is {path} empty?')
        pictures[-1].write_bytes(data.tobytes())
    return pictures


def _draw(image: np.ndarray, box: np.ndarray, label: str, colour: tuple[int, int, int], line: int) -> None:
    """One box and its line of the legend; a box that is not finite leaves the legend alone."""
    cv2.putText(image, label, (4, 14 + 14 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    if np.isfinite(box).all():
        x1, y1, x2, y2 = (int(value) for value in np.concatenate([box[:2], box[:2] + box[2:]]).clip(-9e3, 9e4).round())
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, 1)
