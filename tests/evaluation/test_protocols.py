"""The evaluation engine against published figures, and rule by rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ltr.admin.errors import UserError
from ltr.data.box_text import read_table
from pytracking.analysis.evaluate import aggregate, evaluate, pass_curve
from pytracking.analysis.protocols import PROTOCOLS, get_protocol
from pytracking.evaluation.annotations import AnnotationDataset
from pytracking.evaluation.data import Sequence


def test_real_boxes_give_the_published_figures(shared_data):
    """LasHeR's test set: two trackers' published boxes, six published figures; and fast."""
    folder = shared_data / 'lasher_results'
    sequences = AnnotationDataset(folder / 'ground_truth', protocol='lasher').get_sequence_list()
    assert len(sequences) == 245 and sequences.protocol == 'lasher'
    for tracker, expected in {'mfDiMP': (343, 395, 447), 'APFNet': (362, 439, 500)}.items():
        predictions = {item.name: read_table(folder / tracker / f'{item.name}.txt', 4) for item in sequences}
        result = evaluate(predictions, sequences, sequences.protocol)
        got = (result.success, result.norm_precision, result.precision)
        assert tuple(round(1000 * value) for value in got) == expected


def one_sequence(pred, truth, protocol, second=None):
    sequence = Sequence('s', [''] * len(truth), 'd', truth,
                        second_ground_truth_rect=truth if second is None else second)
    return evaluate({'s': pred}, [sequence], protocol)


def test_known_values_of_a_shifted_box():
    """IoU of two 10 x 10 boxes 5 px apart is 1/3: above 0, 0.05 ... 0.30, seven thresholds of 21."""
    truth = np.tile([20.0, 20, 10, 10], (4, 1))
    pred = truth + np.array([5, 0, 0, 0])
    result = one_sequence(pred, truth, 'lsotb')
    assert result.success == pytest.approx((20 / 21 + 3 * 7 / 21) / 4)
    np.testing.assert_array_equal(result.curves['precision'][0], [0.25] * 5 + [1.0] * 46)
    assert result.norm_precision == pytest.approx((51 + 3 * 1) / (4 * 51))  # 0.50 only
    assert one_sequence(pred, truth, 'pytracking').norm_precision == 0.25


def test_overlap_at_a_threshold_fails_and_error_at_a_threshold_passes():
    lsotb = get_protocol('lsotb').measures
    assert pass_curve(np.array([0.5]), lsotb['success']).sum() == 10  # 0, 0.05 ... 0.45
    assert pass_curve(np.array([20.0]), lsotb['precision'])[20] == 1


def test_invalid_ground_truth_fails_success_and_passes_precision():
    truth = np.array([[5.0, 5, 4, 4], [0, 5, 4, 4], [5, 5, 0, 4], [np.nan] * 4])
    pred = np.full((4, 4), 100.0)
    lsotb, stock = (one_sequence(pred, truth, name) for name in ('lsotb', 'pytracking'))
    assert lsotb.curves['success'][0, 0] == 0.25 and lsotb.curves['precision'][0, 0] == 1.0
    assert lsotb.curves['norm_precision'][0, 0] == 1.0
    # x = 0 is an ordinary box there; the invalid rows fail precision and pass the normalised one
    assert stock.curves['precision'][0, -1] == 0.25 and stock.curves['norm_precision'][0, 0] == 0.75


def test_a_bad_prediction_is_the_one_before_unless_the_truth_has_a_nan():
    truth = np.tile([20.0, 20, 10, 10], (5, 1))
    truth[2] = np.nan
    pred = truth.copy()
    pred[1] = pred[3] = [1, 1, 0, 5]
    pred[2] = np.nan
    # frame 1 takes frame 0's box; frame 2 stays NaN; frame 3 takes that and fails; frame 4 is right
    result = one_sequence(pred, truth, 'lsotb')
    assert result.curves['success'][0, 0] == 3 / 5
    assert result.curves['precision'][0, 0] == 4 / 5


@pytest.mark.parametrize('name', sorted(PROTOCOLS))
def test_first_frame_counts_with_the_given_box_or_as_predicted(name):
    truth = np.tile([20.0, 20, 10, 10], (2, 1))
    expected = 0.0 if name in ('rgbt234', 'gtot') else 0.5
    assert one_sequence(truth * 10, truth, name).curves['success'][0, 0] == expected


@pytest.mark.parametrize(('name', 'truth', 'passes'), [
    # protocol, an invalid row of ground truth, whether a far prediction passes (success, precision, normalised)
    ('lsotb', [0, 5, 4, 4], (False, True, True)), ('lsotb119', [0, 5, 4, 4], (False, True, True)),
    ('ptb', [0, 5, 4, 4], (False, True, None)), ('lasher', [0, 5, 4, 4], (False, True, True)),
    ('lasher', [5, 5, 0, 0], (False, True, True)), ('pytracking', [5, 5, 0, 4], (False, False, True)),
    ('pytracking', [0, 5, 4, 4], (False, False, False)), ('rgbt210', [0, 5, 4, 4], (False, False, None)),
    ('rgbt210', [np.nan] * 4, (False, False, None)), ('rgbt234', [5, 5, 0, 0], (False, False, None)),
    ('gtot', [np.nan] * 4, (False, False, None)),
])
def test_invalid_rows_by_protocol(name, truth, passes):
    truth = np.array([[5.0, 5, 4, 4], truth])
    result = one_sequence(np.full((2, 4), 1000.0), truth, name)
    first = 0.0 if name in ('rgbt234', 'gtot') else 0.5
    for measure, expected in zip(('success', 'precision', 'norm_precision'), passes, strict=True):
        assert (measure in result.curves) == (expected is not None)
        if expected is not None:
            passing = result.curves[measure][0, 0 if measure == 'success' else -1]
            assert passing == first + 0.5 * expected, measure


def test_sequences_weigh_alike_and_all_zero_curves_are_dropped():
    curves = np.array([[1.0, 0.5], [0.0, 0.0], [0.5, 0.0]])
    np.testing.assert_allclose(aggregate(curves, True), [0.75, 0.25])
    np.testing.assert_allclose(aggregate(curves, False), [0.5, 1 / 6])
    np.testing.assert_array_equal(aggregate(curves[1:2], True), [0, 0])


def test_frames_can_be_pooled_instead():
    boxes = np.tile([20.0, 20, 10, 10], (4, 1))
    sequences = [Sequence('a', [''] * 4, 'd', boxes), Sequence('b', [''] * 2, 'd', boxes[:2])]
    predictions = {'a': boxes, 'b': boxes[:2] + 50}
    by_sequence = get_protocol('pytracking')
    pooled = replace(by_sequence, averaging='frames')
    assert evaluate(predictions, sequences, by_sequence).curve('success')[0] == 0.75
    assert evaluate(predictions, sequences, pooled).curve('success')[0] == pytest.approx(5 / 6)


def test_exclude_invalid_frames():
    truth = np.array([[5.0, 5, 4, 4], [0, 0, 0, 0]])
    sequence = Sequence('a', [''] * 2, 'd', truth)
    result = evaluate({'a': truth}, [sequence], 'lsotb', exclude_invalid_frames=True)
    assert result.success == pytest.approx(20 / 21) and result.frames.tolist() == [1]


def test_visibility_marks_rows_invalid_for_the_stock_protocol():
    truth = np.tile([20.0, 20, 10, 10], (2, 1))
    sequence = Sequence('a', [''] * 2, 'd', truth, target_visible=np.array([True, False]))
    assert evaluate({'a': truth}, [sequence], 'pytracking').curves['success'][0, 0] == 0.5


def test_lsotb119_leaves_out_one_sequence():
    boxes = np.ones((1, 4))
    sequences = [Sequence(n, [''], 'd', boxes) for n in ('cat_D_001', 'cat_D_002')]
    predictions = {s.name: boxes for s in sequences}
    assert evaluate(predictions, sequences, 'lsotb119').sequences == ('cat_D_002',)
    assert len(evaluate(predictions, sequences, 'lsotb').sequences) == 2
    with pytest.raises(UserError, match='no sequence'):
        evaluate(predictions, sequences[:1], 'lsotb119')


@pytest.mark.parametrize(('predictions', 'message'), [
    ({}, "no prediction for the sequence 'a'"),
    ({'a': np.ones((3, 4))}, r'a: predicted boxes of shape \(3, 4\), but 2 rows'),
])
def test_mistakes(predictions, message):
    sequence = Sequence('a', ['1', '2'], 'd', np.ones((2, 4)))
    with pytest.raises(UserError, match=message):
        evaluate(predictions, [sequence], 'lsotb')


def test_a_single_row_of_ground_truth_cannot_be_evaluated():
    sequence = Sequence('a', ['1', '2'], 'd', np.ones((1, 4)))
    with pytest.raises(UserError, match='can be run, not evaluated'):
        evaluate({'a': np.ones((2, 4))}, [sequence], 'lsotb')


def test_unknown_protocol():
    with pytest.raises(UserError, match="unknown protocol 'lsotb12': did you mean 'lsotb"):
        get_protocol('lsotb12')
