"""All protocols against a slow reference, and what must hold for any boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytracking.analysis.evaluate import evaluate, frame_overlaps, frame_values, pass_curve
from pytracking.analysis.protocols import PROTOCOLS
from pytracking.evaluation.data import Sequence
from tests.evaluation.protocol_reference import reference

NAMES = sorted(PROTOCOLS)
# halves and quarters make all sums exact, so that ties at a threshold fall alike in both implementations
NUMBER = st.one_of(st.integers(1, 120).map(lambda k: k / 4), st.sampled_from([0.0, -1.0, math.nan]))
SIZE = st.one_of(st.integers(1, 60).map(lambda k: k / 4), st.sampled_from([0.0, -2.0, math.nan]))
BOX = st.one_of(st.tuples(NUMBER, NUMBER, SIZE, SIZE), st.just((math.nan,) * 4))
FRAMES = st.lists(st.tuples(BOX, BOX, BOX), min_size=1, max_size=12)
VALID = st.tuples(st.integers(1, 200), st.integers(1, 200), st.integers(1, 60), st.integers(1, 60))


def arrays(frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions and the two ground truths, (n, 4) each."""
    pred, truth, second = (np.array(rows, dtype=float).reshape(-1, 4) for rows in zip(*frames, strict=True))
    return pred, truth, second


def sequence(truth, second=None, name='s') -> Sequence:
    return Sequence(name, [''] * len(truth), 'd', truth, second_ground_truth_rect=truth if second is None else second)


@pytest.mark.parametrize('name', NAMES)
@settings(max_examples=60, deadline=None)
@given(frames=FRAMES)
def test_equals_the_slow_reference(name, frames):
    """Also: bounds, monotone curves, and no input is changed."""
    pred, truth, second = arrays(frames)
    before = [array.copy() for array in (pred, truth, second)]
    result = evaluate({'s': pred}, [sequence(truth, second)], name)
    expected = reference(pred, [truth, second], name)
    assert set(result.curves) == set(PROTOCOLS[name].measures)
    for measure, curve in result.curves.items():
        np.testing.assert_array_equal(curve[0], expected[measure], err_msg=measure)
        steps = np.diff(curve[0])
        assert (steps <= 0).all() if measure == 'success' else (steps >= 0).all()
        assert curve.min() >= 0 and curve.max() <= 1 and 0 <= result.figure(measure) <= 1
    for array, copy in zip((pred, truth, second), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize('name', NAMES)
@settings(max_examples=20, deadline=None)
@given(parts=st.lists(FRAMES, min_size=2, max_size=4))
def test_many_sequences_at_once_are_each_by_itself(name, parts):
    """The engine works on all frames of a set at once; nothing may pass from one sequence into the next."""
    boxes = [arrays(frames) for frames in parts]
    sequences = [sequence(truth, second, f's{i}') for i, (_, truth, second) in enumerate(boxes)]
    predictions = {f's{i}': pred for i, (pred, _, _) in enumerate(boxes)}
    together = evaluate(predictions, sequences, name)
    for i, one in enumerate(sequences):
        alone = evaluate(predictions, [one], name)
        for measure, curves in together.curves.items():
            np.testing.assert_array_equal(curves[i], alone.curves[measure][0])
    assert together.frames.tolist() == [len(frames) for frames in parts]


@pytest.mark.parametrize('name', NAMES)
@settings(max_examples=20, deadline=None)
@given(frames=st.lists(st.tuples(VALID, VALID, VALID), min_size=2, max_size=12), seed=st.integers(0, 99))
def test_the_order_of_frames_does_not_count(name, frames, seed):
    """Beyond the first frame, and where no prediction stands in for the next one."""
    pred, truth, second = arrays(frames)
    order = np.concatenate([[0], 1 + np.random.default_rng(seed).permutation(len(pred) - 1)])
    one = evaluate({'s': pred}, [sequence(truth, second)], name)
    other = evaluate({'s': pred[order]}, [sequence(truth[order], second[order])], name)
    for measure in one.curves:
        np.testing.assert_array_equal(one.curves[measure], other.curves[measure])


@settings(max_examples=60, deadline=None)
@given(st.lists(VALID, min_size=1, max_size=20), st.integers(0, 3))
def test_a_perfect_tracker(boxes, shift):
    """20 of 21 thresholds; the trapezoids of gtot lose half a step of 20. Two truths: one of them is enough."""
    truth = np.array(boxes, dtype=float)
    for name, protocol in PROTOCOLS.items():
        result = evaluate({'s': truth.copy()}, [sequence(truth, truth + shift)], protocol)
        assert result.success == pytest.approx(39 / 40 if name == 'gtot' else 20 / 21, abs=1e-12)
        assert result.precision == 1.0 and result.norm_precision in (1.0, None)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0.01, 2000)] * 4), min_size=1, max_size=20))
def test_a_perfect_tracker_with_any_numbers_where_nothing_is_rounded(boxes):
    truth = np.array(boxes)
    for protocol in PROTOCOLS.values():
        if not protocol.round_predictions:
            result = evaluate({'s': truth.copy()}, [sequence(truth)], protocol)
            assert result.success == pytest.approx(20 / 21, abs=1e-12) and result.precision == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.floats(-1, 60), st.integers(-1, 50).map(float), st.just(math.nan)), max_size=30))
def test_pass_curves_count_frames_one_by_one(values):
    for protocol in PROTOCOLS.values():
        for measure in protocol.measures.values():
            passes = {'>': lambda v, t: v > t, '<=': lambda v, t: v <= t, '<': lambda v, t: v < t}[measure.comparison]
            expected = [sum(passes(v, t) for v in values) / max(len(values), 1) for t in measure.thresholds]
            np.testing.assert_array_equal(pass_curve(np.array(values), measure), expected)


@pytest.mark.parametrize('name', NAMES)
def test_values_frame_by_frame_are_what_the_curves_are_made_of(name):
    rng = np.random.default_rng(1)
    truth = np.concatenate([rng.integers(0, 50, (30, 2)), rng.integers(0, 20, (30, 2))], axis=1).astype(float)
    pred = truth + rng.integers(-3, 4, (30, 4))
    one = sequence(truth, truth + 1)
    frames = frame_values({'s': pred}, [one], PROTOCOLS[name])
    result = evaluate({'s': pred}, [one], name)
    assert frames.lengths.tolist() == [30] and set(frames.values) == set(result.curves)
    for measure, values in frames.values.items():
        np.testing.assert_array_equal(pass_curve(values, PROTOCOLS[name].measures[measure]), result.curves[measure][0])
    np.testing.assert_array_equal(frame_overlaps(pred, one, name), frames.values['success'])
