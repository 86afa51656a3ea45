"""Detectors of the YOLO family from ONNX files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.box_choice import suppress
from cmd_plugin.data.coco_names import COCO_NAMES
from cmd_plugin.detect.detector import Candidates
from cmd_plugin.detect.onnx_file import read_head
from cmd_plugin.detect.onnx_net import load_net, try_out
from cmd_plugin.detect.yolo_output import Family, decode, recognise
from cmd_plugin.errors import UserError

GREY = 114
FREE_SIDE = 640
"""Side of the input where the file leaves it free, px."""
OVERLAP = 0.45


class YoloDetector:
    """A network of the YOLO family (`cmd_plugin.detect.yolo_output` lists them).

    Args:
        path: ONNX file.
        names: class names in the network's order; by default those in the file, else COCO's for 80 classes.
        careful: try the file out in a process of its own first, see `try_out`.

    Raises:
        UserError: no such file, no ONNX file, a network of another kind, or classes without names.
    """

    def __init__(self, path: Path, names: tuple[str, ...] = (), careful: bool = False) -> None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(f'cannot read detector {path}: {error.strerror}') from None
        head = read_head(path, data)
        self.size = _input_size(path, head.inputs)
        if careful:
            try_out(path, self.size)
        self._net, self.runs_by = load_net(path, data, self.size)
        self.family = self._probe(path)
        self.names = names or head.class_names() or (COCO_NAMES if self.family.classes == len(COCO_NAMES) else ())
        if not self.names:
            raise UserError(f'{path} knows {self.family.classes} classes and does not name them: give --names FILE, '
                            'one name a line')
        if len(self.names) != self.family.classes:
            raise UserError(f'{path} knows {self.family.classes} classes, but {len(self.names)} names are given: '
                            f'{", ".join(self.names[:5])} ...')
        self.source = f'{self.family.kind} {path.name} sha256:{hashlib.sha256(data).hexdigest()[:16]}'

    def __call__(self, image: NDArray[np.uint8], least: float) -> Candidates:
        """Detect; see `Detector`."""
        blob, scale = letterbox(image, self.size, self.family.bgr_bytes)
        boxes, scores = decode(self._detections(blob)[0], self.family, self.size)
        if not np.isfinite(boxes).all() or not np.isfinite(scores).all():
            raise UserError(f'{self.source} gives values that are not finite')
        best = scores.argmax(axis=1)
        confidence = scores[np.arange(len(scores)), best]
        sure = np.flatnonzero(confidence >= least)
        boxes, confidence, best = boxes[sure] / scale, confidence[sure], best[sure]
        # Boxes of different classes do not suppress each other: they are moved apart, class by class.
        apart = best[:, None] * (2 * np.abs(boxes).max(initial=0) + 1)
        kept = suppress(boxes + apart, confidence, OVERLAP)
        return Candidates(boxes[kept], confidence[kept], [self.names[number] for number in best[kept]])

    def _probe(self, path: Path) -> Family:
        """The kind of network, from its answer to a grey image."""
        outputs = self._net(np.full((1, 3, *self.size), 0.5, np.float32))
        families = [family for family in (recognise(output.shape, self.size) for output in outputs) if family]
        if not families:
            shapes = ', '.join(' x '.join(map(str, output.shape)) for output in outputs)
            raise UserError(f'detector file of another model: {path} gives {shapes} for an input of '
                            f'{self.size[1]} x {self.size[0]} px; known are YOLOX, YOLOv5 / v7 and YOLOv8 / 11')
        return families[0]

    def _detections(self, blob: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Outputs in the network's shape; old exports give feature maps beside it."""
        return [output for output in self._net(blob) if recognise(output.shape, self.size) == self.family]


def letterbox(image: NDArray[np.uint8], size: tuple[int, int],
              bgr_bytes: bool) -> tuple[NDArray[np.float32], float]:
    """Scale an image into the upper left of a network's input and fill up with grey.

    Args:
        image: uint8 `(H, W, 3)`, RGB.
        size: `(height, width)` of the input.
        bgr_bytes: BGR 0..255, otherwise RGB 0..1.

    Returns:
        float32 `(1, 3, height, width)`, and input px per image px.
    """
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    width, height = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    canvas = np.full((*size, 3), GREY, np.uint8)
    canvas[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    planes = canvas[..., ::-1] if bgr_bytes else canvas / np.float32(255)
    return np.ascontiguousarray(planes.transpose(2, 0, 1)[None], np.float32), scale


def _input_size(path: Path, inputs: dict[str, tuple[int, ...]]) -> tuple[int, int]:
    """`(height, width)` of the one input; raises `UserError` where it takes no images."""
    shapes = list(inputs.values())
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][0] not in (0, 1) or shapes[0][1] not in (0, 3):
        told = '; '.join(f'{name} {" x ".join(map(str, shape))}' for name, shape in inputs.items()) or 'nothing'
        raise UserError(f'detector file of another model: {path} takes {told}, expected one image (1 x 3 x H x W)')
    return shapes[0][2] or FREE_SIDE, shapes[0][3] or FREE_SIDE
