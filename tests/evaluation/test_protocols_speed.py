"""The benchmark of the evaluation measures what it says; at full size it keeps its time."""

from __future__ import annotations

import json

import pytest

from pytracking import benchmark
from pytracking.analysis import speed


def test_lines_and_json(monkeypatch, capsys):
    monkeypatch.setattr(speed, 'SIZES', {'tiny': ('lsotb', 2, 3, 60)})
    assert benchmark.main(['evaluation']) == 0
    assert 'tiny size by protocol lsotb: 2 trackers x 3 sequences, 60 frames a tracker: ' in capsys.readouterr().out
    assert benchmark.main(['evaluation', '--json']) == 0
    row = json.loads(capsys.readouterr().out)['evaluation']['tiny']
    assert 0 < row['seconds'] < 5 and row['frames'] == 60


@pytest.mark.slow
def test_whole_benchmarks_take_seconds():
    times = speed.evaluation_times()
    assert times['LSOTB-TIR']['seconds'] < 10 and times['LasHeR']['seconds'] < 5
