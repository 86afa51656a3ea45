"""Exponents are those of the costs, and what grows too fast is told; the costs themselves grow as they should."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from pytracking import benchmark
from pytracking.benchmark.series import Series, lines, report, timed

SIZES = (10.0, 100.0, 1000.0, 10_000.0)


def series(costs, name: str = 'work', unit: str = 's') -> Series:
    return Series(name, 'things', unit, SIZES, tuple(costs))


@given(st.floats(-1, 3), st.floats(1e-6, 1e6))
def test_the_exponent_of_a_power(power, scale):
    assert series(scale * np.array(SIZES) ** power).exponent == pytest.approx(power, abs=1e-6)


def test_what_is_paid_once_hides_no_square():
    """Over all sizes this would look linear."""
    costs = 1 + np.array(SIZES) ** 2 / 1e6
    assert series(costs).exponent > 1.1 and not series(costs).linear
    assert series(1 + np.array(SIZES)).linear and series([5, 5, 5, 5]).exponent == pytest.approx(0)


def test_the_report(tmp_path, capsys):
    good, bad = series(np.array(SIZES) / 100, 'reading'), series(np.array(SIZES) ** 1.5, 'matching', 'MB')
    assert report([good], tmp_path / 'new' / 'folder', 'growth') == 0
    assert 'nothing grows worse than linearly' in capsys.readouterr().out
    assert report([good, bad], tmp_path, 'both') == 1
    printed = capsys.readouterr().out
    assert 'reading, s by things: 10: 0.1, 100: 1, 1000: 10, 10000: 100; exponent 1.00\n' in printed
    assert 'exponent 1.50 (limit 1.1)' in printed and printed.rstrip().endswith('worse than linear: matching')
    rows = json.loads((tmp_path / 'both.json').read_text(encoding='utf-8'))
    assert [row['name'] for row in rows] == ['reading', 'matching'] and rows[1]['exponent'] == pytest.approx(1.5)
    assert '| matching, memory | 10 to 10,000 things | 1,000 x | 31,622.8 x | 1.50 |' in (
        tmp_path / 'both.md').read_text(encoding='utf-8')
    assert (tmp_path / 'both.png').read_bytes().startswith(b'\x89PNG') and lines([bad])


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match=r'cannot write .*file'):
        report([series([1, 2, 3, 4])], tmp_path / 'file', 'growth')


def test_the_least_time_counts_and_preparation_does_not():
    time = [0.0]
    pauses = {1: iter([9.0, 3, 2, 5]), 2: iter([9.0, 4, 8, 7])}  # the first of each warms up

    def make(size):
        time[0] += 100

        def action():
            time[0] += next(pauses[size])
        return action
    assert timed('work', 'things', (1, 2), make, clock=lambda: time[0]).costs == (2, 4)


@pytest.mark.slow
def test_tracking_evaluation_and_training_grow_no_worse_than_linearly(tmp_path, capsys):
    benchmark.main(['--growth', str(tmp_path)])
    rows = json.loads((tmp_path / 'growth.json').read_text(encoding='utf-8'))
    assert {row['variable'] for row in rows} == {
        'px of the image', 'px of the crop', 'boxes to refine', 'samples in memory', 'frames', 'sequences',
        'frames a sequence', 'sequences a batch', 'proposals a frame'}
    exponents = {(row['name'], row['variable']): row['exponent'] for row in rows}
    # A busy machine may add some tenths to the figures; a square would still be far off.
    assert max(exponents.values()) < 1.4, exponents
    assert exponents['a frame', 'px of the image'] < 0.4, 'only the crop is looked at'
