"""What a protocol measures frame by frame, for one sequence or for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from functools import reduce

import numpy as np

from ltr.admin.errors import UserError
from pytracking.analysis.measures import (
    centre_error,
    invalid_rows,
    normalised_centre_error,
    overlap,
    replace_bad_predictions,
)
from pytracking.analysis.protocols import MeasureName, Protocol, get_protocol
from pytracking.evaluation.data import Sequence

_VALUES = {'success': overlap, 'precision': centre_error, 'norm_precision': normalised_centre_error}


@dataclass(frozen=True, eq=False)
class FrameValues:
    """Frames of S sequences, one sequence after the other, N in all.

    Attributes:
        lengths: (S,) number of frames of each.
        values: measure -> (N,) overlaps (-1 .. 1) or errors (px, or in target sizes).
        invalid: (N,) bool, frames whose ground truth is invalid by the protocol.
    """

    lengths: np.ndarray
    values: Mapping[MeasureName, np.ndarray]
    invalid: np.ndarray


def frame_values(predictions: Mapping[str, np.ndarray], sequences: Rows[Sequence], protocol: Protocol) -> FrameValues:
    """Values of all frames of some sequences.

    Args:
        predictions: sequence name -> (n, 4) boxes, `xywh`, image px; not modified.
        sequences: at least one.
        protocol: its rules for rounding, the first frame, bad predictions and invalid ground truth.

    Raises:
        UserError: a sequence has no prediction, another number of rows, only the first frame's box, or one
            ground truth where the protocol takes two.
    """
    for sequence in sequences:
        _check(predictions, sequence, protocol)
    lengths = np.array([len(sequence.ground_truth_rect) for sequence in sequences])
    pred = np.concatenate([np.asarray(predictions[sequence.name], dtype=float) for sequence in sequences])
    truths = [np.concatenate([sequence.ground_truth_rect for sequence in sequences])]
    if protocol.best_of_two:
        truths.append(np.concatenate([_second_truth(sequence) for sequence in sequences]))
    pred = _as_counted(pred, truths[0], np.cumsum(lengths) - lengths, protocol)
    visible = np.concatenate([_visible(sequence) for sequence in sequences])
    invalid = [invalid_rows(truth, protocol.invalid, visible) for truth in truths]
    values: dict[MeasureName, np.ndarray] = {}
    for name, measure in protocol.measures.items():
        each = [np.where(bad, measure.invalid_value, _VALUES[name](pred, truth))
                for truth, bad in zip(truths, invalid, strict=True)]
        # fmax and fmin: a NaN in one ground truth leaves the other to count
        values[name] = reduce(np.fmax if name == 'success' else np.fmin, each)
    return FrameValues(lengths, values, reduce(np.logical_and, invalid))


def frame_overlaps(pred: np.ndarray, sequence: Sequence, protocol: str | Protocol) -> np.ndarray:
    """Overlap of every frame of one sequence as a protocol sees it.

    Args:
        pred: (n, 4) boxes, `xywh`, image px; not modified.
        sequence: with n rows of ground truth.
        protocol: how to count.

    Returns:
        (n,) in [0, 1]; -1 where the ground truth is invalid, NaN where the prediction is.

    Raises:
        UserError: as `frame_values`.
    """
    return frame_values({sequence.name: pred}, [sequence], get_protocol(protocol)).values['success']


def _check(predictions: Mapping[str, np.ndarray], sequence: Sequence, protocol: Protocol) -> None:
    truth = sequence.ground_truth_rect
    if sequence.init_only:
        raise UserError(f'{sequence.name} has a box for its first frame only: it can be run, not evaluated')
    if sequence.name not in predictions:
        raise UserError(f'no prediction for the sequence {sequence.name!r}')
    shape = np.shape(predictions[sequence.name])
    if shape != truth.shape:
        raise UserError(f'{sequence.name}: predicted boxes of shape {shape}, but {len(truth)} rows of ground truth')
    second = sequence.second_ground_truth_rect
    if protocol.best_of_two and (second is None or second.shape != truth.shape):
        found = 'one' if second is None else 'two of unequal length'
        raise UserError(f'{sequence.name}: protocol {protocol.name} takes the better of two ground truths, one of each '
                        f'modality; this sequence has {found}; choose another with --protocol')


def _second_truth(sequence: Sequence) -> np.ndarray:
    assert sequence.second_ground_truth_rect is not None  # `_check`
    return sequence.second_ground_truth_rect


def _as_counted(pred: np.ndarray, truth: np.ndarray, starts: np.ndarray, protocol: Protocol) -> np.ndarray:
    """The predictions as the protocol takes them; `pred` is the caller's own copy."""
    if protocol.round_predictions:
        pred = np.rint(pred)
    if protocol.first_frame_given:
        pred[starts] = truth[starts]
    return replace_bad_predictions(pred, truth, starts) if protocol.replace_bad_predictions else pred


def _visible(sequence: Sequence) -> np.ndarray:
    if sequence.target_visible is None:
        return np.ones(len(sequence.ground_truth_rect), dtype=bool)
    return np.asarray(sequence.target_visible, dtype=bool)
