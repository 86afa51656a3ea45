"""What the networks of the YOLO family put out, and how it becomes boxes.

A network of N cells (one at every stride of 8, 16 and 32 px, with 64 in large variants) and C classes gives

    YOLOX             1 x N x (5 + C)   BGR 0..255   cx, cy, log w, log h in cells of their stride, objectness, classes
    YOLOX, decoded    the same shape    BGR 0..255   cx, cy, w, h in px
    YOLOv5, YOLOv7    1 x 3N x (5 + C)  RGB 0..1     cx, cy, w, h in px, objectness, classes
    YOLOv8, YOLO11    1 x (4 + C) x N   RGB 0..1     cx, cy, w, h in px, classes

so that the shape tells the kind; a decoded YOLOX is known by its values, which span the image and not a few cells.
All px are of the network's input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal['yolox', 'yolov5', 'yolov8']
Array = NDArray[np.floating]
STRIDES = ((8, 16, 32), (8, 16, 32, 64))
SPAN = 16.0
"""Raw YOLOX centres lie within a few cells of their own; decoded ones reach across hundreds of px."""


@dataclass(frozen=True)
class Family:
    """A kind of network.

    Attributes:
        kind: see above.
        classes: C.
        strides: of its cells, px.
    """

    kind: Kind
    classes: int
    strides: tuple[int, ...]

    @property
    def bgr_bytes(self) -> bool:
        """Whether the input is BGR 0..255; otherwise RGB 0..1."""
        return self.kind == 'yolox'


def recognise(shape: tuple[int, ...], size: tuple[int, int]) -> Family | None:
    """The kind of network that gives an output of this shape; `None` where none does.

    Args:
        shape: of one output.
        size: `(height, width)` of the input, px.
    """
    if len(shape) != 3 or shape[0] != 1:
        return None
    for strides in STRIDES:
        cells = sum((size[0] // stride) * (size[1] // stride) for stride in strides)
        if shape[1] == cells and shape[2] > 5:
            return Family('yolox', shape[2] - 5, strides)
        if shape[1] == 3 * cells and shape[2] > 5:
            return Family('yolov5', shape[2] - 5, strides)
        if shape[2] == cells and shape[1] > 4:
            return Family('yolov8', shape[1] - 4, strides)
    return None


def decode(output: Array, family: Family, size: tuple[int, int]) -> tuple[Array, Array]:
    """Boxes and confidences of one image.

    Args:
        output: as the network gives it, with the leading 1.
        family: what it is.
        size: `(height, width)` of the input, px.

    Returns:
        `(n, 4)` boxes, `xyxy` in px of the input, and `(n, C)` confidences.
    """
    rows = output[0].T if family.kind == 'yolov8' else output[0]
    centres, extents = rows[:, :2], rows[:, 2:4]
    scores = rows[:, 4:] if family.kind == 'yolov8' else rows[:, 4:5] * rows[:, 5:]
    if family.kind == 'yolox' and np.median(np.abs(centres)) < SPAN:
        corners, strides = _cells(size, family.strides)
        centres, extents = (centres + corners) * strides, np.exp(extents.clip(max=20)) * strides
    return np.concatenate([centres - extents / 2, centres + extents / 2], axis=1), scores


def _cells(size: tuple[int, int], strides: tuple[int, ...]) -> tuple[Array, Array]:
    """Column and row `(n, 2)` of every cell and its stride `(n, 1)`, px; row by row, fine strides first."""
    corners, sides = [], []
    for stride in strides:
        rows, columns = np.mgrid[:size[0] // stride, :size[1] // stride]
        corners.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        sides.append(np.full((rows.size, 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(sides).astype(np.float32)
