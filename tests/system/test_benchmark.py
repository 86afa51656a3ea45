"""The benchmark measures what it says: a frame in units of the backbone, both above zero."""

from __future__ import annotations

import json

import pytest

from pytracking import benchmark
from pytracking.benchmark.parts import PARTS


def test_json_has_units_and_ratios(capsys):
    assert benchmark.main(['--net', 'dimp18', '--frames', '1', '--device', 'cpu', '--json', '--clock', 'cpu']) == 0
    report = json.loads(capsys.readouterr().out)
    figures = report['dimp18']
    assert figures['unit_ms'] > 0 and figures['frame_ms'] > 0
    assert figures['ratio'] == pytest.approx(figures['frame_ms'] / figures['unit_ms'])
    assert figures['ratio'] > 0.5, 'a frame holds a backbone forward'


def test_parts_make_up_the_frame(capsys):
    assert benchmark.main(['--net', 'dimp_small', '--frames', '6', '--device', 'cpu', '--json', '--clock', 'cpu',
                           '--parts']) == 0
    figures = json.loads(capsys.readouterr().out)['dimp_small']
    assert set(figures['parts']) == set(PARTS) and all(value >= 0 for value in figures['parts'].values())
    assert sum(figures['parts'].values()) == pytest.approx(figures['median_ratio'], rel=0.5)
    assert figures['parts']['rest'] < 0.2 * sum(figures['parts'].values())


def test_presets_and_sequences_together(capsys):
    assert benchmark.main(['--net', 'dimp_small', '--frames', '3', '--device', 'cpu', '--batch-sequences', '2',
                           '--speed', 'plain', '--speed', 'exact']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(':')[0] for line in lines[1::2]] == ['dimp_small plain', 'dimp_small exact']
    gains = [float(line.rsplit(' ', 1)[1]) for line in lines[2::2]]
    assert all('2 sequences in lock-step: ' in line for line in lines[2::2]) and min(gains) > 0.2


@pytest.mark.slow
def test_the_table_names_unit_threads_and_ratio(capsys):
    assert benchmark.main(['--frames', '2', '--device', 'cpu']) == 0
    printed = capsys.readouterr().out
    assert 'unit: torchvision ResNet to layer3' in printed and 'threads' in printed
    assert 'frame / unit: mean' in printed
