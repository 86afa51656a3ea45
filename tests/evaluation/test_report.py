"""The page's figures are the engine's, and it is small."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytracking.analysis.attributes import subset
from pytracking.analysis.bootstrap import paired_bootstrap
from pytracking.analysis.evaluate import evaluate
from pytracking.analysis.extract_results import TrackerResult
from pytracking.analysis.frames import frame_overlaps
from pytracking.analysis.protocols import PROTOCOLS
from pytracking.analysis.report import make_payload, write_report
from pytracking.analysis.report import payload as payload_module
from pytracking.analysis.report.payload import INVALID, MISSING, NO_BOX, coordinates, quantise
from pytracking.analysis.report.pictures import Pictures
from pytracking.analysis.summary import Analysis
from pytracking.evaluation.data import Sequence, SequenceList
from tests.evaluation.analysed import make_analysis


@pytest.fixture(scope='module')
def analysis(tmp_path_factory):
    return make_analysis(tmp_path_factory.mktemp('results'))


def payload_of(analysis: Analysis, folder: Path, embed: int = 0) -> dict:
    return json.loads(json.dumps(make_payload(analysis, Pictures(folder, embed))))


def curves_of(payload: dict, measure: int) -> np.ndarray:
    part = payload['measures'][measure]
    shape = (len(payload['trackers']), len(payload['sequences']), len(part['thresholds']))
    return np.frombuffer(base64.b64decode(part['curves']), '<f4').reshape(shape).astype(float)


def page_figure(payload: dict, measure: int, tracker: int, chosen: list[int]) -> float:
    """As `script/model.js` reckons it."""
    curves = curves_of(payload, measure)[tracker, chosen]
    weights = np.array([payload['sequences'][i]['weight'] for i in chosen], dtype=float)
    if payload['dropZero']:
        weights *= (curves != 0).any(axis=1)
    return float(weights @ curves / weights.sum() @ payload['measures'][measure]['weights'])


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_figures_are_the_engine_s_by_any_protocol_and_for_any_attribute(tmp_path, protocol):
    analysis = make_analysis(tmp_path, protocol)
    payload = payload_of(analysis, tmp_path)
    for t, item in enumerate(analysis.results):
        for m, measure in enumerate(analysis.measures):
            assert payload['trackers'][t]['figures'][m] == pytest.approx(item.result.figure(measure), abs=1e-6)
            assert page_figure(payload, m, t, [0, 1, 2, 3]) == pytest.approx(item.result.figure(measure), abs=1e-6)
            occlusion = payload['attributes'].index('occlusion')
            members = [i for i, one in enumerate(payload['sequences']) if occlusion in one['attributes']]
            expected = subset(item.result, analysis.members['occlusion']).figure(measure)
            assert page_figure(payload, m, t, members) == pytest.approx(expected, abs=1e-6)


def test_overlaps_and_boxes_are_those_of_the_results(tmp_path):
    analysis = make_analysis(tmp_path, 'pytracking')
    payload = payload_of(analysis, tmp_path)
    assert payload['boxed'] == 3
    for sequence, packed in zip(analysis.sequences, payload['sequences'], strict=True):
        count = len(sequence.ground_truth_rect)
        overlaps = np.frombuffer(base64.b64decode(packed['overlaps']), 'u1').reshape(3, count)
        boxes = np.frombuffer(base64.b64decode(packed['boxes']), '<i2').reshape(4, count, 4)
        truth = sequence.ground_truth_rect
        known = np.isfinite(truth).all(axis=1)
        assert (boxes[0][~known] == MISSING).all()
        assert boxes[0][known] * payload['step'] == pytest.approx(truth[known], abs=payload['step'] / 2 + 1e-9)
        for t, item in enumerate(analysis.results):
            expected = frame_overlaps(item.boxes[sequence.name], sequence, analysis.protocol)
            assert ((overlaps[t] == INVALID) == (expected == -1)).all()
            assert ((overlaps[t] == NO_BOX) == np.isnan(expected)).all()
            counted = expected >= 0
            assert overlaps[t][counted] / 250 == pytest.approx(expected[counted], abs=0.0021)
            saved = item.boxes[sequence.name]
            known = np.isfinite(saved).all(axis=1)
            assert (boxes[t + 1][~known] == MISSING).all()
            assert boxes[t + 1][known] * payload['step'] == pytest.approx(saved[known], abs=payload['step'] / 2 + 1e-9)


def test_numbers_that_are_none():
    assert quantise(np.array([-1, np.nan, 0, 1, 0.5])).tolist() == [INVALID, NO_BOX, 0, 250, 125]
    boxes = coordinates(np.array([[np.nan, 1, 2, 3], [1e12, -1e12, 0.04, 1], [np.inf, 0, 0, 0]]), 0.1)
    assert boxes.tolist() == [[MISSING] * 4, [32767, -32767, 0, 10], [MISSING] * 4]


def test_differences_and_published_rows_are_in_the_page(analysis, tmp_path):
    one, two, _ = analysis.results
    part = paired_bootstrap(one.result, two.result, 'precision', 100)
    payload = payload_of(replace(analysis, differences=[('good', 'fair', [part])]), tmp_path)
    [row] = payload['differences']
    assert (row['low'], row['high']) == pytest.approx((part.low, part.high), abs=1e-6) and row['measure'] == 1
    [other] = payload['published']
    assert other['figures'] == [0.5, 0.625, None] and other['origin'] == 'a paper, Table 1; protocol not given'


def test_a_benchmark_of_five_trackers_is_a_small_page(tmp_path):
    """120 sequences, 82,080 frames; and with many trackers, boxes are what is left out."""
    rng = np.random.default_rng(0)
    truth = rng.random((120, 684, 4)) * 200 + 10
    sequences = SequenceList(Sequence(f's{i:03d}', [''] * 684, 'd', rows) for i, rows in enumerate(truth))
    boxes = {sequence.name: sequence.ground_truth_rect + rng.normal(0, 9, (684, 4)) for sequence in sequences}
    item = TrackerResult('t', ('t', 'p', None), evaluate(boxes, sequences, 'lsotb'), 0, 0.0, boxes)
    assert write_report(Analysis('d', sequences, [item] * 5), tmp_path / 'a.html')[1:] == []
    assert 4e6 < (tmp_path / 'a.html').stat().st_size < 8e6


def test_boxes_that_are_left_out_are_said(analysis, tmp_path, monkeypatch):
    monkeypatch.setattr(payload_module, 'BOX_BYTES', 3 * 8 * 120)
    payload = payload_of(analysis, tmp_path)
    assert payload['boxed'] == 2 and 'boxes of the first 2 trackers alone' in payload['lacks'][-1]
    assert len(base64.b64decode(payload['sequences'][0]['boxes'])) == 3 * 30 * 8
