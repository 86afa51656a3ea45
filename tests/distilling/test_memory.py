"""Distillation takes no more memory than stock training at the same number of images."""

from __future__ import annotations

import re

import pytest

from cmd_plugin import benchmark


@pytest.mark.parametrize('side', ['d3', 'stock'])
def test_a_side_is_measured_over_its_own_steps(side):
    found = benchmark.measure(side, 'dimp_small', 1, 'cpu')
    assert found['peak'] >= found['before'] > 2 ** 26 and found['seconds'] > 0


def test_the_ratio_leaves_out_what_the_process_held_before_its_network(monkeypatch, capsys):
    sides = {'d3': {'peak': 700, 'before': 200, 'seconds': 1.0}, 'stock': {'peak': 600, 'before': 200, 'seconds': 2.0}}
    sides = {side: {**found, 'peak': found['peak'] * 2 ** 20, 'before': found['before'] * 2 ** 20}
             for side, found in sides.items()}
    monkeypatch.setattr(benchmark, '_in_process', lambda side, *arguments: sides[side])
    assert benchmark.run('dimp18', 5, 'cpu') == 1
    out = capsys.readouterr().out
    assert 'dimp18, 20 images a step' in out and 'd3 / stock: 1.25 (limit 1.15)' in out
    assert 'd3, 5 pairs: peak 700 MiB' in out and 'stock training, 10 x (1 reference + 1 test): peak 600 MiB' in out
    sides['d3']['peak'] = 655 * 2 ** 20
    assert benchmark.run('dimp18', 5, 'cpu') == 0


@pytest.mark.slow
def test_d3_of_dimp50_at_five_pairs(capsys):
    """Measured with torch 2.15: 0.38 (dimp18); the limit of the project is 1.15."""
    assert benchmark.run('dimp50', 5, 'cpu') == 0
    ratio = float(re.search(r'd3 / stock: (\d+\.\d+)', capsys.readouterr().out)[1])
    assert 0.1 < ratio <= benchmark.LIMIT
