"""How benchmarks count: each protocol is a small description, and one engine (`evaluate.py`) reads it.

Shipped under its own name, so that a printed number says how it was made:

    lsotb       LSOTB-TIR's own toolkit, 120 sequences
    lsotb119    the same without `cat_D_001`: the numbers of the CMD paper
    ptb         PTB-TIR's own toolkit
    pytracking  the stock toolkit's
    rgbt234     MPR and MSR: the better of the two modalities' ground truths, frame by frame
    rgbt210     PR and SR on one ground truth
    gtot        as rgbt234, at 5 px, over all frames of the set, area under the success curve
    lasher      PR, NPR and SR of the LasHeR test set

The last four as the `rgbt` toolkit 1.0.1 computes them: a tracker's boxes are rounded to whole pixels first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.plugins import unknown

MeasureName = Literal['success', 'precision', 'norm_precision']
InvalidRule = Literal['any_not_positive', 'size_not_positive', 'none']


@dataclass(frozen=True, eq=False)
class Measure:
    """One curve and its ranking figure.

    Attributes:
        thresholds: (T,) increasing.
        comparison: how a frame's value is held against a threshold to pass: overlaps by '>', errors by '<='.
        invalid_value: the value of a frame whose ground truth is invalid.
        rank_at: the threshold whose value ranks trackers; None: the mean over all thresholds.
        label, unit: for tables and plots.
        rank_by_area: rank by the area under the curve (trapezoids) over its width, in place of the mean.
    """

    thresholds: np.ndarray
    comparison: Literal['>', '<=', '<']
    invalid_value: float
    rank_at: float | None
    label: str
    unit: str
    rank_by_area: bool = False

    def figure(self, curve: np.ndarray) -> np.ndarray:
        """Ranking figure of curves (..., T), in [0, 1]."""
        if self.rank_by_area:
            widths = np.diff(self.thresholds)
            return (curve[..., 1:] + curve[..., :-1]) / 2 @ widths / widths.sum()
        if self.rank_at is None:
            return curve.mean(axis=-1)
        return curve[..., int(np.abs(self.thresholds - self.rank_at).argmin())]

    def figure_name(self) -> str:
        """In words: 'mean of 21 values', 'area under the curve' or 'value at 20 px'."""
        if self.rank_by_area:
            return 'area under the curve'
        if self.rank_at is None:
            return f'mean of {len(self.thresholds)} values'
        return f'value at {self.rank_at:g}{self.unit}'


@dataclass(frozen=True, eq=False)
class Protocol:
    """A benchmark's way of counting.

    Attributes:
        name: what users type.
        measures: what is measured; the order is that of the table's columns.
        invalid: which ground-truth rows count as invalid: 'any_not_positive' (any of x, y, w, h <= 0 or
            NaN), 'size_not_positive' (w or h <= 0, anything NaN, or marked as not visible) or 'none'.
        first_frame_given: the first frame counts, with the ground truth as its prediction.
        replace_bad_predictions: a prediction with w <= 0 or h <= 0, or all NaN, is replaced by the one
            before, unless that frame's ground truth holds a NaN.
        drop_zero_curves: sequences whose curve is all zero do not enter the mean over sequences.
        averaging: 'sequences': over a sequence's frames, then over sequences; 'frames': over all frames.
        exclude: names of sequences that do not count.
        round_predictions: predicted x, y, w, h are rounded to integers before anything else.
        best_of_two: a sequence has two ground truths; each frame takes the larger overlap and the smaller error.
    """

    name: str
    measures: Mapping[MeasureName, Measure]
    invalid: InvalidRule
    first_frame_given: bool = True
    replace_bad_predictions: bool = False
    drop_zero_curves: bool = False
    averaging: Literal['sequences', 'frames'] = 'sequences'
    exclude: frozenset[str] = frozenset()
    round_predictions: bool = False
    best_of_two: bool = False

    def with_success_gap(self, gap: float) -> Protocol:
        """The same with success thresholds 0:gap:1."""
        steps = round(1 / gap)
        success = replace(self.measures['success'], thresholds=_grid(steps, steps))
        return replace(self, measures={**self.measures, 'success': success})


def _grid(count: int, parts: int) -> np.ndarray:
    """0, 1/parts, ..., count/parts, each correctly rounded."""
    return np.arange(count + 1) / parts


def _success() -> Measure:
    return Measure(_grid(20, 20), '>', -1.0, None, 'Success', '')


def _precision(invalid_value: float) -> Measure:
    return Measure(_grid(50, 1), '<=', invalid_value, 20.0, 'Precision', ' px')


def _norm_precision(rank_at: float | None) -> Measure:
    return Measure(_grid(50, 100), '<=', -1.0, rank_at, 'Norm. Prec.', '')


def _lsotb(name: str, exclude: frozenset[str] = frozenset()) -> Protocol:
    return Protocol(name, {'success': _success(), 'precision': _precision(-1.0),
                           'norm_precision': _norm_precision(None)},
                    'any_not_positive', replace_bad_predictions=True, drop_zero_curves=True, exclude=exclude)


_PTB = Protocol('ptb', {'success': _success(), 'precision': _precision(-1.0)}, 'any_not_positive',
                replace_bad_predictions=True, drop_zero_curves=True)
_PYTRACKING = Protocol('pytracking', {'success': _success(), 'precision': _precision(np.inf),
                                      'norm_precision': _norm_precision(0.2)}, 'size_not_positive')

_RGBT234 = Protocol('rgbt234', {'success': _success(), 'precision': _precision(-1.0)}, 'none',
                    first_frame_given=False, round_predictions=True, best_of_two=True)
_RGBT210 = replace(_RGBT234, name='rgbt210', first_frame_given=True, best_of_two=False)
_GTOT = replace(_RGBT234, name='gtot', averaging='frames', measures={
    'success': replace(_success(), rank_by_area=True),
    'precision': replace(_precision(-1.0), comparison='<', rank_at=5.0)})
_LASHER = Protocol('lasher', {'success': _success(), 'precision': _precision(-1.0),
                              'norm_precision': _norm_precision(0.2)},
                   'any_not_positive', replace_bad_predictions=True, round_predictions=True)

PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (
    _lsotb('lsotb'), _lsotb('lsotb119', frozenset({'cat_D_001'})), _PTB, _PYTRACKING,
    _RGBT234, _RGBT210, _GTOT, _LASHER)}


def get_protocol(name: str | Protocol) -> Protocol:
    """A protocol by name; a protocol is handed back.

    Raises:
        UserError: unknown name; near names are given.
    """
    if isinstance(name, Protocol):
        return name
    if name not in PROTOCOLS:
        raise UserError(unknown('protocol', name, sorted(PROTOCOLS)))
    return PROTOCOLS[name]
