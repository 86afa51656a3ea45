"""The stop rule: no gain beyond noise over the last third of the training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST_GAIN = 0.5
"""Points of Success that are too few to go on for, however sure they are."""
LEAST_FALL = 0.03
"""Relative change of the loss that is too small to go on for."""


@dataclass(frozen=True)
class Plateau:
    """The verdict.

    Attributes:
        reached: neither Success nor loss has moved.
        gain: Success of the last third of the epochs less that of the third before, points.
        noise: its standard error over the kept-out sequences, points.
        fall: relative fall of the loss between the same thirds.
    """

    reached: bool
    gain: float
    noise: float
    fall: float

    def line(self) -> str:
        """In words."""
        word = 'at a plateau' if self.reached else 'NOT at a plateau'
        return (f'{word}: over the last third of the epochs Success on kept-out RGB moved by {self.gain:+.1f} '
                f'(standard error {self.noise:.1f}), the loss fell by {100 * self.fall:.0f} %')


def is_plateau(curve: Sequence[Mapping[str, Any]]) -> Plateau:
    """Look at the epochs so far.

    The last third is held against the third before: both are means over epochs, and Success is paired by sequence. It
    is a plateau when Success gained no more than its standard error (or half a point, whichever is more), lost no more
    than twice that, and the loss changed by less than 3 %.

    Args:
        curve: an epoch each, `loss` and `success` (by sequence, x 100); fewer than three are no plateau.
    """
    third = len(curve) // 3
    if third < 1:
        return Plateau(False, math.nan, math.nan, math.nan)
    before, last = curve[-2 * third:-third], curve[-third:]
    names = list(curve[0]['success'])
    success = [np.array([[one['success'][name] for name in names] for one in part]).mean(axis=0)
               for part in (before, last)]
    differences = success[1] - success[0]
    noise = float(differences.std(ddof=1) / math.sqrt(len(names))) if len(names) > 1 else math.inf
    losses = [float(np.mean([one['loss'] for one in part])) for part in (before, last)]
    gain, fall = float(differences.mean()), 1 - losses[1] / losses[0]
    still = -2 * max(noise, LEAST_GAIN) <= gain <= max(noise, LEAST_GAIN) and abs(fall) < LEAST_FALL
    return Plateau(still, gain, noise, fall)
