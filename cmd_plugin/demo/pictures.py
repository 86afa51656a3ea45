"""A strip of frames with the boxes of the ground truth, the parent and the distilled tracker."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from cmd_plugin.demo import steps
from cmd_plugin.pictures import write_picture
from ltr.data.image_loader import read_image
from pytracking.evaluation import get_dataset

COLOURS = {'ground truth': (255, 255, 255), 'parent': (255, 90, 80), 'd3': (80, 220, 120)}
FRAMES = 5
SEQUENCES = 6
SCALE = 2


def strip(workspace: Path, data: Path, out: Path) -> Path:
    """Save a picture: a row a sequence, frames evenly spaced in time, boxes in the colours of the legend.

    Args:
        workspace: folder with the tracking results of `parent` and `d3`.
        data: the test set.
        out: PNG file.
    """
    rows = []
    for sequence in get_dataset('folder', root=data)[:SEQUENCES]:
        boxes = {'ground truth': sequence.ground_truth_rect,
                 **{name: steps.boxes_of(workspace, data, name, sequence) for name in ('parent', 'd3')}}
        chosen = np.linspace(0, len(sequence.frames) - 1, FRAMES).round().astype(int)
        rows.append(np.hstack([_frame(sequence.frames[i], {name: b[i] for name, b in boxes.items()}, int(i))
                               for i in chosen]))
    return write_picture(out, np.vstack([_legend(rows[0].shape[1]), *rows]))


def _frame(path: str, boxes: dict[str, np.ndarray], number: int) -> np.ndarray:
    image = read_image(path)
    image = cv2.resize(image, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_LINEAR)
    for name, box in boxes.items():
        x1, y1 = (box[:2] * SCALE).round().astype(int)
        x2, y2 = ((box[:2] + box[2:]) * SCALE).round().astype(int)
        cv2.rectangle(image, (int(x1), int(y1)), (int(x2), int(y2)), COLOURS[name], 2)
    cv2.putText(image, f'#{number}', (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 220, 60), 1, cv2.LINE_AA)
    return image


def _legend(width: int) -> np.ndarray:
    bar = np.full((26, width, 3), 40, np.uint8)
    x = 8
    for name, colour in COLOURS.items():
        cv2.rectangle(bar, (x, 6), (x + 18, 20), colour, 2)
        cv2.putText(bar, name, (x + 26, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (230, 230, 230), 1, cv2.LINE_AA)
        x += 60 + 10 * len(name)
    return bar
