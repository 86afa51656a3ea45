"""Pseudo boxes: what stands in for the annotation that an unlabelled pair lacks.

Source: CMD paper, "paired patches generation".
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np

from cmd_plugin.errors import UserError

Box = Sequence[float]
"""`xywh`, image px, top-left corner."""


class PseudoBox(Protocol):
    """Makes the pseudo box of a pair.

    The box holds for both modalities, because the pair is aligned, and for both branches, because both are crops
    of the one pair. A box that needs chance (`random_sampling`) takes it from the generator. One that needs to
    know the pair (`detection`) takes it from the index; it has a method `bind(pairs)`, too, which `PairedSampler`
    calls with its data set once, before the first box. What a method `summary()` tells, one line, the sampler
    tells with its own.
    """

    def __call__(self, index: int, size: tuple[int, int], rng: np.random.Generator) -> Box:
        """Box of one draw: `index` of the pair, `(height, width)` of the image, px."""


EDGE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class CenterArea:
    """`center_area`: a square in the image centre is the fake target.

    Attributes:
        fraction: side of the square over the shorter side of the image, in (0, 1]. The paper gives none.

    Raises:
        UserError: the fraction is not in (0, 1].
    """

    fraction: float = 1 / 5

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise UserError(f'center_area: fraction must be in (0, 1], not {self.fraction}')

    def __call__(self, index: int, size: tuple[int, int], rng: np.random.Generator) -> Box:
        """Box of one pair, `xywh` in image px, not rounded; `index` and `rng` play no part."""
        height, width = size
        side = min(size) * self.fraction
        return (width - side) / 2, (height - side) / 2, side, side


@dataclass(frozen=True)
class RandomSampling:
    """`random_sampling`: a square anywhere within the image is the fake target.

    Every draw of a pair has a place of its own, so that an image shows several regions in the course of a training.

    Attributes:
        fraction: side of the square over the shorter side of the image, in (0, 1]; 1/6 in the paper.

    Raises:
        UserError: the fraction is not in (0, 1].
    """

    fraction: float = 1 / 6

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise UserError(f'random_sampling: fraction must be in (0, 1], not {self.fraction}')

    def __call__(self, index: int, size: tuple[int, int], rng: np.random.Generator) -> Box:
        """Box of one draw, `xywh` in image px, not rounded, uniform among all places; `index` plays no part."""
        height, width = size
        side = min(size) * self.fraction
        return float(rng.uniform(0, width - side)), float(rng.uniform(0, height - side)), side, side


def _detection(fraction: float | None, boxes: Path | None) -> PseudoBox:
    from cmd_plugin.data.detection import Detection
    if boxes is None:
        raise UserError('detection needs boxes: make them once with `python -m cmd_plugin detect --pairs DIR --model '
                        'DETECTOR.onnx`, and name the file (or a folder of box files) with CMD_BOXES')
    return Detection(boxes, RandomSampling.fraction if fraction is None else fraction)


PseudoBoxFactory = Callable[['float | None', 'Path | None'], PseudoBox]
PSEUDO_BOXES: Mapping[str, PseudoBoxFactory] = MappingProxyType({
    'center_area': lambda fraction, boxes: CenterArea() if fraction is None else CenterArea(fraction),
    'random_sampling': lambda fraction, boxes: RandomSampling() if fraction is None else RandomSampling(fraction),
    'detection': _detection,
})
"""Kinds of pseudo boxes by the paper's names: `(side of a square or None, box files or None) -> PseudoBox`."""


def make_pseudo_box(kind: str, box_fraction: float | None = None, boxes: Path | None = None) -> PseudoBox:
    """Make a pseudo box by the name of its kind.

    Args:
        kind: one of `PSEUDO_BOXES`.
        box_fraction: side of the square over the shorter image side; `None`: the kind's own (1/5 `center_area`, 1/6
            `random_sampling`, also where `detection` falls back on it).
        boxes: box file or folder; `detection` alone reads it.

    Raises:
        UserError: no such kind, a fraction out of range, `detection` without boxes or with boxes that are no good.
    """
    if kind not in PSEUDO_BOXES:
        near = difflib.get_close_matches(kind, PSEUDO_BOXES, 1)
        raise UserError(f'unknown pseudo box {kind!r}{f": did you mean {near[0]}?" if near else ""}; there are '
                        f'{", ".join(PSEUDO_BOXES)}')
    return PSEUDO_BOXES[kind](box_fraction, boxes)


def check_pseudo_box(box: Box, size: tuple[int, int], pair: str) -> None:
    """Refuse a box that marks nothing of its image.

    Args:
        box: `xywh`, image px.
        size: `(height, width)` of the image.
        pair: name of the pair, for the message.

    Raises:
        UserError: the box has no area, holds NaN, or does not lie within the image.
    """
    x, y, w, h = (float(value) for value in box)
    height, width = size
    told = f'pseudo box ({x:g}, {y:g}, {w:g}, {h:g}) (x, y, w, h) of pair {pair}'
    if not all(math.isfinite(value) for value in (x, y, w, h)) or w <= 0 or h <= 0:
        raise UserError(f'{told} has no area: check the pseudo_box setting')
    if (min(x, y) < -EDGE_TOLERANCE or x + w > width + EDGE_TOLERANCE or y + h > height + EDGE_TOLERANCE):
        raise UserError(f'{told} is outside the image of {width} x {height} px: check the pseudo_box setting')
