"""The one engine behind all protocols: boxes in, curves and ranking figures out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ltr.admin.errors import UserError
from pytracking.analysis.measures import (
    centre_error,
    invalid_rows,
    normalised_centre_error,
    overlap,
    replace_bad_predictions,
)
from pytracking.analysis.protocols import Measure, MeasureName, Protocol, get_protocol
from pytracking.evaluation.data import Sequence

_VALUES = {'success': overlap, 'precision': centre_error, 'norm_precision': normalised_centre_error}


@dataclass(frozen=True, eq=False)
class Result:
    """One tracker's curves.

    Attributes:
        protocol: how they were made.
        sequences: names, S of them.
        frames: (S,) frames that counted in each.
        curves: measure -> (S, T) share of a sequence's frames that pass each threshold, in [0, 1].
    """

    protocol: Protocol
    sequences: tuple[str, ...]
    frames: np.ndarray
    curves: Mapping[MeasureName, np.ndarray]

    def curve(self, measure: MeasureName) -> np.ndarray:
        """(T,) over all sequences."""
        weights = self.frames if self.protocol.averaging == 'frames' else self.frames > 0
        return aggregate(self.curves[measure], self.protocol.drop_zero_curves, weights)

    def figure(self, measure: MeasureName) -> float | None:
        """The ranking figure in [0, 1]; None where the protocol does not measure it."""
        if measure not in self.curves:
            return None
        return float(self.protocol.measures[measure].figure(self.curve(measure)))

    def sequence_figures(self, measure: MeasureName) -> dict[str, float]:
        """The ranking figure of every sequence by itself."""
        figures = self.protocol.measures[measure].figure(self.curves[measure])
        return dict(zip(self.sequences, map(float, figures), strict=True))

    @property
    def success(self) -> float | None:
        """Ranking figure of the success curve."""
        return self.figure('success')

    @property
    def precision(self) -> float | None:
        """Ranking figure of the precision curve."""
        return self.figure('precision')

    @property
    def norm_precision(self) -> float | None:
        """Ranking figure of the normalised-precision curve."""
        return self.figure('norm_precision')


def aggregate(curves: np.ndarray, drop_zero_curves: bool, weights: np.ndarray | None = None) -> np.ndarray:
    """Mean curve over sequences.

    Args:
        curves: (S, T).
        drop_zero_curves: leave out sequences that fail everywhere.
        weights: (S,) share of each sequence; equal by default.

    Returns:
        (T,); zeros where no sequence is left.
    """
    weights = np.ones(len(curves)) if weights is None else np.asarray(weights, dtype=float)
    if drop_zero_curves:
        weights = weights * (curves > 0).any(axis=1)
    total = weights.sum()
    return (weights @ curves) / total if total > 0 else np.zeros(curves.shape[1])


def evaluate(predictions: Mapping[str, np.ndarray], sequences: Iterable[Sequence], protocol: str | Protocol,
             exclude_invalid_frames: bool = False) -> Result:
    """Evaluate one tracker.

    Args:
        predictions: sequence name -> (n, 4) boxes, `xywh`, image px; not modified.
        sequences: with one ground-truth row per frame.
        protocol: how to count.
        exclude_invalid_frames: frames with an invalid ground truth do not count at all; no published number
            is made this way.

    Raises:
        UserError: a sequence has no prediction, another number of rows, or no ground truth beyond frame 1;
            or the protocol excludes all sequences.
    """
    protocol = get_protocol(protocol)
    counted = [sequence for sequence in sequences if sequence.name not in protocol.exclude]
    if not counted:
        raise UserError(f'no sequence to evaluate by protocol {protocol.name}')
    passed: dict[MeasureName, list[np.ndarray]] = {name: [] for name in protocol.measures}
    frames = []
    for sequence in counted:
        pred, truth = _boxes(predictions, sequence, protocol)
        invalid = invalid_rows(truth, protocol.invalid, sequence.target_visible)
        keep = ~invalid if exclude_invalid_frames else np.ones(len(truth), dtype=bool)
        frames.append(int(keep.sum()))
        for name, measure in protocol.measures.items():
            values = np.where(invalid, measure.invalid_value, _VALUES[name](pred, truth))[keep]
            passed[name].append(pass_curve(values, measure))
    curves = {name: np.stack(rows) for name, rows in passed.items()}
    return Result(protocol, tuple(sequence.name for sequence in counted), np.array(frames), curves)


def pass_curve(values: np.ndarray, measure: Measure) -> np.ndarray:
    """Share of frames that pass each threshold.

    Args:
        values: (n,) overlaps or errors; NaN passes nowhere.
        measure: thresholds (T,) and comparison.

    Returns:
        (T,) in [0, 1]; zeros where there is no frame.
    """
    if len(values) == 0:
        return np.zeros(len(measure.thresholds))
    ordered = np.sort(values[~np.isnan(values)])
    below = np.searchsorted(ordered, measure.thresholds, side='left')
    not_above = np.searchsorted(ordered, measure.thresholds, side='right')
    passing = {'>': len(ordered) - not_above, '<=': not_above, '<': below}[measure.comparison]
    return passing / len(values)


def _boxes(predictions: Mapping[str, np.ndarray], sequence: Sequence,
           protocol: Protocol) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and ground truth (n, 4) as the protocol wants them; the prediction is a copy."""
    truth = sequence.ground_truth_rect
    if sequence.init_only:
        raise UserError(f'{sequence.name} has a box for its first frame only: it can be run, not evaluated')
    if sequence.name not in predictions:
        raise UserError(f'no prediction for the sequence {sequence.name!r}')
    pred = np.array(predictions[sequence.name], dtype=float)
    if pred.shape != truth.shape:
        raise UserError(f'{sequence.name}: predicted boxes of shape {pred.shape}, but {len(truth)} rows of '
                        f'ground truth')
    if protocol.first_frame_given:
        pred[:1] = truth[:1]
    return (replace_bad_predictions(pred, truth) if protocol.replace_bad_predictions else pred), truth
