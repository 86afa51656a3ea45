"""Figures by attribute, bootstrap, ranking: against the engine, against scipy, and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from pytracking.analysis.attributes import attribute_rows, by_attribute, subset
from pytracking.analysis.bootstrap import paired_bootstrap
from pytracking.analysis.evaluate import Result, evaluate
from pytracking.analysis.protocols import PROTOCOLS, get_protocol
from pytracking.analysis.ranking import rank_sequences, ranking_text, worst_stretches
from tests.evaluation.analysed import make_analysis, make_sequences


@pytest.fixture(scope='module')
def analysis(tmp_path_factory):
    return make_analysis(tmp_path_factory.mktemp('results'))


def results_of(figures: np.ndarray, protocol: str = 'pytracking', frames: np.ndarray | None = None) -> Result:
    """Sequences whose precision figure is given."""
    curves = np.repeat(figures[:, None], 51, axis=1)
    frames = np.full(len(figures), 10) if frames is None else frames
    return Result(get_protocol(protocol), tuple(map(str, range(len(figures)))), frames, {'precision': curves})


# --- attributes ---

def test_attribute_rows_are_the_engine_s_figures_of_that_subset(analysis):
    rows = attribute_rows(analysis.results, analysis.sequences, 'success')
    assert [(name, count) for name, count, _ in rows] == [
        ('fast motion', 1), ('low resolution', 1), ('occlusion', 2)]
    for attribute, _, figures in rows:
        part = [sequence for sequence in analysis.sequences if attribute in sequence.attributes]
        for item, figure in zip(analysis.results, figures, strict=True):
            assert figure == evaluate(item.boxes, part, 'lsotb').success
    by_hand = [np.mean([item.result.sequence_figures('success')[name] for name in 'ab']) for item in analysis.results]
    assert rows[2][2] == pytest.approx(by_hand)


def test_sequences_that_do_not_count_are_in_no_row(analysis):
    sequences = make_sequences(names=('a', 'zz'))
    sequences[1].attributes = frozenset({'only here', 'occlusion'})
    assert by_attribute(sequences)['occlusion'] == ('a', 'zz')
    assert [row[:2] for row in attribute_rows(analysis.results, sequences, 'success')] == [
        ('fast motion', 1), ('occlusion', 1)]


def test_a_set_without_attributes_is_said(analysis):
    with pytest.raises(UserError, match='names no attributes'):
        attribute_rows(analysis.results, make_sequences(names=('d',)), 'success')


def test_subset_of_everything_is_everything(analysis):
    result = analysis.results[0].result
    same = subset(result, result.sequences)
    assert same.success == result.success and same.sequences == result.sequences
    assert subset(result, ('b', 'nobody')).sequences == ('b',)


# --- bootstrap ---

def test_bootstrap_against_scipy():
    stats = pytest.importorskip('scipy.stats')
    rng = np.random.default_rng(1)
    one, two = rng.random(60), rng.random(60) * 0.9
    ours = paired_bootstrap(results_of(one), results_of(two), 'precision', draws=20_000, seed=3)
    theirs = stats.bootstrap((one, two), lambda a, b, axis: (a - b).mean(axis=axis), n_resamples=20_000, paired=True,
                             method='percentile', random_state=rng).confidence_interval
    assert ours.difference == pytest.approx((one - two).mean(), abs=1e-12)
    spread = (one - two).std() / np.sqrt(60)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=0.06 * spread)


def test_bootstrap_of_two_sequences_by_hand():
    """Draws are (0, 0), (0, 1), (1, 0), (1, 1), equally likely: differences 0.4, 0.1, 0.1, -0.2."""
    one, two = results_of(np.array([0.9, 0.3])), results_of(np.array([0.5, 0.5]))
    wide = paired_bootstrap(one, two, 'precision', draws=4000, seed=0)
    assert (wide.difference, wide.low, wide.high) == pytest.approx((0.1, -0.2, 0.4))
    assert wide.share_above == pytest.approx(0.75, abs=0.03)
    narrow = paired_bootstrap(one, two, 'precision', draws=4000, level=0.4, seed=0)
    assert (narrow.low, narrow.high) == pytest.approx((0.1, 0.1))


def test_bootstrap_weighs_as_the_protocol_does():
    """Pooled frames: the long sequence rules; zero curves are dropped where the protocol drops them."""
    pooled = replace(get_protocol('pytracking'), averaging='frames')
    frames = np.array([1, 99])
    one = replace(results_of(np.array([0.0, 1.0]), frames=frames), protocol=pooled)
    two = replace(results_of(np.array([0.0, 0.5]), frames=frames), protocol=pooled)
    assert paired_bootstrap(one, two, 'precision', 10).difference == pytest.approx(0.99 - 0.495)
    one, two = results_of(np.array([0.0, 0.8]), 'ptb'), results_of(np.array([0.2, 0.8]), 'ptb')
    assert paired_bootstrap(one, two, 'precision', 10).difference == pytest.approx(0.8 - 0.5)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_the_difference_is_that_of_the_tables(tmp_path, protocol):
    one, two, _ = (item.result for item in make_analysis(tmp_path, protocol).results)
    for measure in one.curves:
        part = paired_bootstrap(one, two, measure, 200)
        assert part.difference == pytest.approx(one.figure(measure) - two.figure(measure), abs=1e-12)
        assert part.low <= part.difference <= part.high
        back = paired_bootstrap(two, one, measure, 200)
        assert (back.low, back.high, back.share_above) == pytest.approx((-part.high, -part.low, 1 - part.share_above))


def test_same_seed_same_interval():
    one, two = results_of(np.linspace(0, 1, 9)), results_of(np.linspace(0, 1, 9)[::-1] ** 2)
    first, again, other = (paired_bootstrap(one, two, 'precision', 500, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    with pytest.raises(ValueError, match='cannot be paired'):
        paired_bootstrap(one, results_of(np.zeros(4)), 'precision')
    with pytest.raises(ValueError, match='has no success'):
        paired_bootstrap(one, two, 'success')
    with pytest.raises(ValueError, match='draws must be'):
        paired_bootstrap(one, two, 'precision', 0)


# --- ranking ---

def test_worst_stretches_by_hand():
    overlaps = np.array([1, 0.05, 0.0, -1, 0.01, 0.9, 0.0, 0.8, np.nan])
    assert list(map(str, worst_stretches(overlaps))) == ['2-5 (0.02)', '7 (0.00)', '9 (0.00)']
    assert list(map(str, worst_stretches(np.array([0.9, 0.5, -1, 0.7]), 2))) == ['2 (0.50)', '4 (0.70)']
    assert worst_stretches(np.array([])) == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 0.05, 0.4, 1.0]), max_size=30))
def test_stretches_hold_the_lost_frames(values):
    overlaps = np.array(values)
    stretches = worst_stretches(overlaps, count=99)
    covered = {frame for part in stretches for frame in range(part.first, part.last + 1)}
    lost = {i + 1 for i, value in enumerate(values) if 0 <= value < 0.1}
    assert lost <= covered
    assert not lost or all(values[frame - 1] < 0.1 for frame in covered)


def test_ranking_is_ordered_and_cut(analysis):
    item = analysis.results[-1]
    ranked = rank_sequences(item, analysis.counted, 'success')
    figures = [one.figure for one in ranked]
    assert figures == sorted(figures, reverse=True) and {one.name for one in ranked} == set('abcd')
    assert all(one.figure == item.result.sequence_figures('success')[one.name] and one.worst for one in ranked)
    assert '... 2 more ...' in ranking_text(item, ranked, 'success', 1)
    assert len(ranking_text(item, ranked, 'success', 2).splitlines()) == 5
