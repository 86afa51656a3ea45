"""The benchmark measures what it says: a frame in units of the backbone, both above zero."""

from __future__ import annotations

import json

import pytest

from pytracking import benchmark


def test_json_has_units_and_ratios(capsys):
    assert benchmark.main(['--net', 'dimp18', '--frames', '1', '--device', 'cpu', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    figures = report['dimp18']
    assert figures['unit_ms'] > 0 and figures['frame_ms'] > 0
    assert figures['ratio'] == pytest.approx(figures['frame_ms'] / figures['unit_ms'])
    assert figures['ratio'] > 0.5, 'a frame holds a backbone forward'


@pytest.mark.slow
def test_the_table_names_unit_threads_and_ratio(capsys):
    assert benchmark.main(['--frames', '2', '--device', 'cpu']) == 0
    printed = capsys.readouterr().out
    assert 'unit: torchvision ResNet to layer3' in printed and 'threads' in printed
    assert 'frame / unit: mean' in printed
