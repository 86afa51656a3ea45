"""Which detector, and which of its classes, the options ask for."""

from __future__ import annotations

import difflib
from pathlib import Path

from cmd_plugin.detect.detector import Detector
from cmd_plugin.errors import UserError


def make_detector(kind: str | None, model: Path | None, weights: Path | None, names: Path | None) -> Detector:
    """The detector that the options name.

    Args:
        kind: `yolo` or `fasterrcnn`; by default `yolo`.
        model: ONNX file of `yolo`.
        weights: file with weights of `fasterrcnn`; torchvision's own by default.
        names: text file of class names for `yolo`.

    Raises:
        UserError: options that do not fit one another, or files that do not.
    """
    if kind == 'fasterrcnn':
        if model is not None or names is not None:
            raise UserError('--model and --names belong to --detector yolo; --detector fasterrcnn takes --weights FILE')
        from cmd_plugin.detect.faster_rcnn import FasterRCNNDetector
        return FasterRCNNDetector(weights)
    if weights is not None:
        raise UserError('--weights belongs to --detector fasterrcnn; --detector yolo takes --model FILE.onnx')
    if model is None:
        raise UserError('no detector: give --model FILE.onnx (YOLOX, YOLOv5, YOLOv8 or YOLO11 exported to ONNX), or '
                        '--detector fasterrcnn')
    from cmd_plugin.detect.yolo import YoloDetector
    return YoloDetector(model, _read_names(names) if names is not None else (), careful=True)


def choose_classes(text: str | None, known: tuple[str, ...]) -> frozenset[str]:
    """Classes of a filter such as `person,car`; all where there is none.

    Raises:
        UserError: a class that the detector does not know; names those near it.
    """
    if text is None:
        return frozenset(known)
    by_lower = {name.casefold(): name for name in known}
    chosen = [part.strip() for part in text.split(',') if part.strip()]
    for name in chosen:
        if name.casefold() not in by_lower:
            near = difflib.get_close_matches(name.casefold(), by_lower, 3)
            hint = f'near: {", ".join(by_lower[match] for match in near)}' if near else f'known: {", ".join(known)}'
            raise UserError(f'--classes: the detector knows no {name!r}; {hint}')
    if not chosen:
        raise UserError('--classes is empty: name classes such as person,car, or leave it out for all')
    return frozenset(by_lower[name.casefold()] for name in chosen)


def _read_names(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'cannot read class names {path}: {error}') from None
    return tuple(line.strip() for line in lines if line.strip())
