"""What the protocols of the RGB-thermal sets have that others have not."""

from __future__ import annotations

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking.analysis.evaluate import evaluate
from pytracking.evaluation.data import Sequence


def one_sequence(pred, truth, protocol, second=None):
    sequence = Sequence('s', [''] * len(truth), 'd', truth,
                        second_ground_truth_rect=truth if second is None else second)
    return evaluate({'s': pred}, [sequence], protocol)


def test_predictions_are_rounded_for_the_rgbt_family():
    """Two boxes half a pixel apart in each number: whole after rounding (to even, as numpy's)."""
    truth = np.tile([20.0, 20, 10, 10], (3, 1))
    pred = truth + np.array([0.5, 0.5, 0.5, 0.49])
    for name in ('rgbt234', 'rgbt210', 'gtot', 'lasher'):
        assert one_sequence(pred, truth, name).curves['success'][0, 19] == 1.0
    assert one_sequence(pred, truth, 'lsotb').curves['success'][0, 19] == 1 / 3
    assert one_sequence(truth + 0.51, truth, 'lasher').curves['success'][0, 19] == 1 / 3


def test_the_better_of_two_ground_truths():
    """Each frame by itself, each measure by itself."""
    truth = np.tile([20.0, 20, 10, 10], (2, 1))
    second = truth + np.array([30.0, 0, 0, 0])
    second[1] += 100
    both = one_sequence(np.array([second[0], truth[1]]), truth, 'rgbt234', second)
    assert both.success == pytest.approx(20 / 21) and both.curves['precision'][0, 0] == 1.0
    # 10 px off the first, 20 px off the second: the error is 10, and no overlap with either
    near = one_sequence(truth + np.array([10.0, 0, 0, 0]), truth, 'rgbt234', second)
    assert near.curves['precision'][0, 9] == 0 and near.curves['precision'][0, 10] == 1.0
    assert near.success == 0.0


@pytest.mark.parametrize('name', ['rgbt234', 'gtot'])
def test_a_second_ground_truth_must_be_there(name):
    boxes = np.ones((2, 4))
    with pytest.raises(UserError, match=f'protocol {name} takes the better of two .* this sequence has one'):
        evaluate({'a': boxes}, [Sequence('a', ['', ''], 'd', boxes)], name)


def test_gtot_at_five_pixels_over_all_frames():
    """Errors of exactly 5 px fail, 4 px pass; three frames of one sequence weigh three times one of another."""
    boxes = np.tile([20.0, 20, 10, 10], (3, 1))
    sequences = [Sequence('a', [''] * 3, 'd', boxes, second_ground_truth_rect=boxes),
                 Sequence('b', [''], 'd', boxes[:1], second_ground_truth_rect=boxes[:1])]
    predictions = {'a': boxes + np.array([5.0, 0, 0, 0]), 'b': boxes[:1] + np.array([4.0, 0, 0, 0])}
    result = evaluate(predictions, sequences, 'gtot')
    assert result.precision == 0.25
    # overlaps 1/3 (three frames; 7 thresholds) and 3/7 (9): the areas are (6 + 1/2) / 20 and (8 + 1/2) / 20
    assert result.success == pytest.approx((3 * 6.5 + 8.5) / 4 / 20)
