"""The one engine behind all protocols: boxes in, curves and ranking figures out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ltr.admin.errors import UserError
from pytracking.analysis.frames import frame_overlaps, frame_values
from pytracking.analysis.protocols import Measure, MeasureName, Protocol, get_protocol
from pytracking.evaluation.data import Sequence

__all__ = ['Result', 'aggregate', 'evaluate', 'frame_overlaps', 'frame_values', 'pass_curve', 'pass_curves']


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
    frames = frame_values(predictions, counted, protocol)
    keep = ~frames.invalid if exclude_invalid_frames else np.ones(len(frames.invalid), dtype=bool)
    owner = np.repeat(np.arange(len(counted)), frames.lengths)[keep]
    lengths = np.bincount(owner, minlength=len(counted))
    curves = {name: pass_curves(frames.values[name][keep], measure, lengths)
              for name, measure in protocol.measures.items()}
    return Result(protocol, tuple(sequence.name for sequence in counted), lengths, curves)


def pass_curve(values: np.ndarray, measure: Measure) -> np.ndarray:
    """Share of frames that pass each threshold.

    Args:
        values: (n,) overlaps or errors; NaN passes nowhere.
        measure: thresholds (T,) and comparison.

    Returns:
        (T,) in [0, 1]; zeros where there is no frame.
    """
    return pass_curves(values, measure, np.array([len(values)]))[0]


def pass_curves(values: np.ndarray, measure: Measure, lengths: np.ndarray) -> np.ndarray:
    """The same for S sequences at once.

    Args:
        values: (N,) one sequence after the other.
        measure: thresholds (T,) and comparison.
        lengths: (S,) number of frames of each; their sum is N.

    Returns:
        (S, T).
    """
    count, bins = len(lengths), len(measure.thresholds) + 1
    # Thresholds increase, so a frame's thresholds split in two: where, is all that has to be found (NaN: at the end).
    split = np.searchsorted(measure.thresholds, values, side='right' if measure.comparison == '<' else 'left')
    if measure.comparison == '>':
        split = np.where(np.isnan(values), 0, split)
    cells = np.repeat(np.arange(count) * bins, lengths) + split
    below = np.bincount(cells, minlength=count * bins).reshape(count, bins).cumsum(axis=1)[:, :-1]
    passing = lengths[:, None] - below if measure.comparison == '>' else below
    return passing / np.maximum(lengths, 1)[:, None]
