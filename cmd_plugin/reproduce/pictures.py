"""Frames in which the child wins and loses most against its control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cmd_plugin.pictures import write_picture
from cmd_plugin.reproduce.chains import overlap
from cmd_plugin.reproduce.evaluation import label_of
from cmd_plugin.reproduce.places import Data, Work
from cmd_plugin.reproduce.runs import test_runs
from cmd_plugin.reproduce.sizes import Size
from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.results import read_boxes

COLOURS = {'truth': (255, 255, 255), 'control': (255, 90, 80), 'child': (80, 220, 120)}
EACH = 4
WIDTH, HEIGHT = 336, 256


def frames(data: Data, work: Work, size: Size, path: Path) -> Path:
    """A sheet: upper rows where the child of the first choice wins, lower rows where it loses; two frames a row.

    Seed 0; a run's frame is that of the greatest difference in overlap. White is the truth, green the child, red the
    control.
    """
    found = []
    for run in test_runs(data, size):
        boxes = {kind: read_boxes(work.tracking / 'test' / 'dimp' / label_of(0, kind, 0), run.sequence)
                 for kind in ('child', 'control')}
        truth = run.sequence.ground_truth_rect
        gains = np.array([overlap(boxes['child'][i], truth[i]) - overlap(boxes['control'][i], truth[i])
                          if (truth[i] > 0).all() else 0.0 for i in range(len(truth))])
        for place in {int(gains.argmax()), int(gains.argmin())}:
            found.append((float(gains[place]), run.sequence, place, {'truth': truth, **boxes}))
    found.sort(key=lambda one: -one[0])
    shown = [one for one in found if one[0] > 0][:EACH] + [one for one in found if one[0] < 0][-EACH:]
    pictures = [_frame(*one) for one in shown or found[:1]]
    if len(pictures) % 2:
        pictures.append(np.zeros_like(pictures[0]))
    rows = [np.hstack(pictures[i:i + 2]) for i in range(0, len(pictures), 2)]
    return write_picture(path, np.vstack(rows))


def _frame(gain: float, sequence: Sequence, place: int, boxes: dict[str, Any]) -> NDArray[np.uint8]:
    image = read_image(sequence.frames[place])
    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    small = cv2.resize(image, None, fx=scale, fy=scale)
    canvas[:small.shape[0], :small.shape[1]] = small[:HEIGHT, :WIDTH]
    for kind, colour in COLOURS.items():
        x, y, w, h = (float(value) * scale for value in boxes[kind][place])
        cv2.rectangle(canvas, (round(x), round(y)), (round(x + w), round(y + h)), colour, 1)
    cv2.putText(canvas, f'{sequence.name} #{place}  overlap {gain:+.2f}', (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.38,
                (255, 220, 60), 1, cv2.LINE_AA)
    return canvas
