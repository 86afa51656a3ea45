"""The evaluation engine against published figures, a slow reference, and what must hold for any boxes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from pytracking.analysis.evaluate import aggregate, evaluate, pass_curve
from pytracking.analysis.protocols import PROTOCOLS, get_protocol
from pytracking.evaluation.data import Sequence

# facts: Success / Precision / Normalised precision on LSOTB-TIR, 120 sequences, from the benchmark's own file
PUBLISHED = {
    'ECO-TIR': (631, 768, 695), 'ECO-stir': (616, 750, 672), 'ECO': (609, 739, 670),
    'SiamRPN++': (604, 711, 651), 'MDNet': (601, 750, 686), 'VITAL': (597, 749, 682),
    'ATOM': (595, 729, 647), 'TADT': (587, 710, 635), 'SiamMask': (579, 705, 637),
    'ECO-HC': (561, 690, 627), 'SiamFC-TIR': (554, 700, 626), 'BACF': (535, 648, 591),
    'SRDCF': (529, 642, 574), 'SiamFC': (517, 651, 587), 'Staple': (492, 606, 548),
    'CFNet-TIR': (478, 580, 540), 'KCF': (321, 418, 385),
}
MAT_FILES = {'success': 'overlap', 'precision': 'error', 'norm_precision': 'norm_error'}


@pytest.fixture(scope='module')
def lsotb_curves(shared_data):
    """Measure -> tracker -> (120, T), and the sequence names."""
    scipy_io = pytest.importorskip('scipy.io')
    folder = shared_data / 'lsotb_perfmat'
    if not folder.is_dir():
        pytest.skip(f'{folder} is absent')
    curves = {}
    for measure, key in MAT_FILES.items():
        file = scipy_io.loadmat(folder / f'aveSuccessRatePlot_37alg_{key}_OPE.mat')
        names = [str(cell[0][0]) for cell in file['nameTrkAll']]
        curves[measure] = dict(zip(names, file['aveSuccessRatePlot'], strict=True))
    names = scipy_io.loadmat(folder / 'overlap50andcentererror20_37.mat')['seq_names'][0]
    return curves, [str(cell[0]) for cell in names]


def ranking(curves, measure, protocol):
    mean = aggregate(curves, protocol.drop_zero_curves)
    return round(1000 * float(protocol.measures[measure].figure(mean)))


def test_lsotb_aggregation_gives_the_published_figures(lsotb_curves):
    curves, _ = lsotb_curves
    protocol = get_protocol('lsotb')
    for tracker, expected in PUBLISHED.items():
        assert tuple(ranking(curves[m][tracker], m, protocol) for m in MAT_FILES) == expected, tracker


def test_lsotb119_gives_the_figures_of_the_paper(lsotb_curves):
    curves, names = lsotb_curves
    protocol = get_protocol('lsotb119')
    keep = [name not in protocol.exclude for name in names]
    assert sum(keep) == 119
    assert tuple(ranking(curves[m]['ATOM'][keep], m, protocol) for m in MAT_FILES) == (593, 727, 645)


def test_real_boxes_give_the_published_figures(shared_data):
    """LasHeR counts as `lsotb` does, but for integer predictions and the normalised figure at 0.20."""
    folder = shared_data / 'lasher_results'
    lsotb, stock = get_protocol('lsotb'), get_protocol('pytracking')
    protocol = replace(lsotb, measures={**lsotb.measures, 'norm_precision': stock.measures['norm_precision']})
    truth = {path.stem: np.loadtxt(path, delimiter=',') for path in (folder / 'ground_truth').glob('*.txt')}
    sequences = [Sequence(name, [''] * len(boxes), 'lasher', boxes) for name, boxes in truth.items()]
    for tracker, expected in {'mfDiMP': (343, 395, 447), 'APFNet': (362, 439, 500)}.items():
        predictions = {name: read_any(folder / tracker / f'{name}.txt') for name in truth}
        result = evaluate({name: np.round(boxes) for name, boxes in predictions.items()}, sequences, protocol)
        assert len(result.sequences) == 245
        got = (result.success, result.norm_precision, result.precision)
        assert tuple(round(1000 * value) for value in got) == expected


def read_any(path):
    return np.array([line.replace(',', ' ').split() for line in path.read_text().splitlines()], dtype=float)


# --- a slow reference, frame by frame, written from the protocols' description ---

def reference(pred, truth, name):
    """Curves of one sequence in plain Python: success, precision, norm_precision."""
    lsotb = name != 'pytracking'
    pred = [list(map(float, row)) for row in pred]
    truth = [list(map(float, row)) for row in truth]
    pred[0] = truth[0]
    if lsotb:
        for i in range(1, len(pred)):
            p = pred[i]
            bad = p[2] <= 0 or p[3] <= 0 or all(math.isnan(v) for v in p)
            if bad and not any(math.isnan(v) for v in truth[i]):
                pred[i] = pred[i - 1]
    values = {'success': [], 'precision': [], 'norm_precision': []}
    for p, t in zip(pred, truth, strict=True):
        checked = t if lsotb else t[2:]
        if any(math.isnan(v) for v in t) or any(v <= 0 for v in checked):
            row = (-1.0, -1.0 if lsotb else math.inf, -1.0)
        elif any(math.isnan(v) for v in p):
            row = (math.nan,) * 3
        else:
            width = max(0.0, min(p[0] + p[2], t[0] + t[2]) - max(p[0], t[0]))
            height = max(0.0, min(p[1] + p[3], t[1] + t[3]) - max(p[1], t[1]))
            shared = width * height if p[2] > 0 and p[3] > 0 else 0.0
            area = p[2] * p[3] if p[2] > 0 and p[3] > 0 else 0.0
            dx = p[0] + p[2] / 2 - t[0] - t[2] / 2
            dy = p[1] + p[3] / 2 - t[1] - t[3] / 2
            row = (shared / (area + t[2] * t[3] - shared), math.sqrt(dx * dx + dy * dy),
                   math.sqrt((dx / t[2]) ** 2 + (dy / t[3]) ** 2))
        for key, value in zip(values, row, strict=True):
            values[key].append(value)
    n = len(pred)
    return {'success': [sum(v > k / 20 for v in values['success']) / n for k in range(21)],
            'precision': [sum(v <= k for v in values['precision']) / n for k in range(51)],
            'norm_precision': [sum(v <= k / 100 for v in values['norm_precision']) / n for k in range(51)]}


# halves make all sums exact, so that ties at a threshold fall alike in both implementations
NUMBER = st.one_of(st.integers(1, 60).map(lambda k: k / 2), st.sampled_from([0.0, -1.0, math.nan]))
SIZE = st.one_of(st.integers(1, 30).map(lambda k: k / 2), st.sampled_from([0.0, -2.0, math.nan]))
BOX = st.one_of(st.tuples(NUMBER, NUMBER, SIZE, SIZE), st.just((math.nan,) * 4))
PAIRS = st.lists(st.tuples(BOX, BOX), min_size=1, max_size=12)


def as_arrays(pairs):
    return np.array([p for p, _ in pairs]), np.array([t for _, t in pairs])


def one_sequence(pred, truth, protocol, name='s'):
    sequence = Sequence(name, [''] * len(truth), 'd', truth)
    return evaluate({name: pred}, [sequence], protocol)


@pytest.mark.parametrize('name', sorted(PROTOCOLS))
@settings(max_examples=150, deadline=None)
@given(pairs=PAIRS)
def test_equals_the_slow_reference(name, pairs):
    pred, truth = as_arrays(pairs)
    before = pred.copy(), truth.copy()
    result = one_sequence(pred, truth, name)
    expected = reference(pred, truth, name)
    assert set(result.curves) == set(PROTOCOLS[name].measures)
    for measure, curve in result.curves.items():
        np.testing.assert_array_equal(curve[0], expected[measure], err_msg=measure)
        steps = np.diff(curve[0])
        assert (steps <= 0).all() if measure == 'success' else (steps >= 0).all()
        assert curve.min() >= 0 and curve.max() <= 1
    np.testing.assert_array_equal(pred, before[0])
    np.testing.assert_array_equal(truth, before[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0.01, 2000)] * 4), min_size=1, max_size=20))
def test_a_perfect_tracker_has_20_of_21(boxes):
    truth = np.array(boxes)
    for protocol in PROTOCOLS.values():
        result = one_sequence(truth.copy(), truth, protocol)
        assert result.success == pytest.approx(20 / 21, abs=1e-12)
        assert result.precision == 1.0 and result.norm_precision in (1.0, None)


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


def test_first_frame_counts_with_the_given_box():
    truth = np.tile([20.0, 20, 10, 10], (2, 1))
    for name in PROTOCOLS:
        assert one_sequence(truth * 10, truth, name).curves['success'][0, 0] == 0.5


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
