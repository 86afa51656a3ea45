"""Pseudo boxes: what stands in for the annotation that an unlabelled pair lacks.

Source: CMD paper, "paired patches generation".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cmd_plugin.errors import UserError

Box = Sequence[float]
"""`xywh`, image px, top-left corner."""

PseudoBox = Callable[[int, tuple[int, int], np.random.Generator], Box]
"""`(index of the pair, (height, width) of the image, generator) -> Box`.

The box holds for both modalities, because the pair is aligned, and for both branches, because both are crops
of the one pair. A box that needs chance (`random_sampling`) takes it from the generator; one that needs to
know the pair (`detection`) takes it from the index.
"""

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
