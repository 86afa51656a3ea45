"""Frame draws: exactly the half-open ranges of the specification, with replacement, and the growing gap."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from ltr.data.frame_draws import draw_frames, draw_visible


def many(visible, num_train, num_test, gap, mode, count=4000):
    random.seed(0)
    return [draw_frames(visible, num_train, num_test, gap, mode) for _ in range(count)]


def test_draw_visible_clips_and_is_half_open():
    visible = [True, False, True, True, False]
    random.seed(0)
    assert {i for _ in range(200) for i in draw_visible(visible, 3, -5, 3)} == {0, 2}
    assert {i for _ in range(200) for i in draw_visible(visible, 3, 1, 99)} == {2, 3}
    assert draw_visible(visible, 1, 4, 9) is None
    assert draw_visible(visible, 1, 3, 3) is None
    assert draw_visible(visible, 0, 3, 3) == []
    assert len(draw_visible(visible, 10, 0, 1)) == 10


def test_causal_ranges():
    gap, length = 4, 40
    draws = many([True] * length, 3, 2, gap, 'causal', 20000)
    bases = {train[0] for train, _ in draws}
    assert bases == set(range(2, length - 2))
    middle = [(train, test) for train, test in draws if 10 <= train[0] < 30]
    assert {i - train[0] for train, _ in middle for i in train[1:]} == {-4, -3, -2, -1}
    assert {i - train[0] for train, test in middle for i in test} == {1, 2, 3}
    assert any(train[1] == train[2] for train, _ in middle) and any(test[0] == test[1] for _, test in middle)
    assert all(len(train) == 3 and len(test) == 2 for train, test in draws)


def test_interval_ranges():
    gap, length = 3, 30
    draws = many([True] * length, 2, 1, gap, 'interval', 20000)
    assert {train[0] for train, _ in draws} == set(range(length))
    middle = [(train, test) for train, test in draws if 5 <= train[0] < 25]
    assert {train[1] - train[0] for train, _ in middle} == {-3, -2, -1, 0, 1, 2}
    assert {test[0] - train[0] for train, test in middle} == {-3, -2, -1, 0, 1, 2}


@pytest.mark.parametrize('mode', ['causal', 'interval'])
def test_draws_are_uniform(mode):
    draws = many([True] * 24, 1, 1, 4, mode, 23000)
    low, high = (0, 23) if mode == 'causal' else (0, 24)
    counts = Counter(train[0] for train, _ in draws)
    assert set(counts) == set(range(low, high))
    mean = 23000 / (high - low)
    assert max(counts.values()) < 1.15 * mean and min(counts.values()) > 0.85 * mean
    offsets = Counter(test[0] - train[0] for train, test in draws if train[0] == 12)
    assert len(offsets) == (3 if mode == 'causal' else 8)
    assert max(offsets.values()) < 1.5 * min(offsets.values())


def test_the_gap_grows_by_five_until_frames_are_found():
    visible = [True] + [False] * 6 + [True] * 2 + [False] * 20
    # From base 0 a causal test frame needs 7 < G: gap 2 fails, gap 7 fails, gap 12 reaches both; from base 7
    # gap 2 reaches 8 at once.
    draws = many(visible, 1, 1, 2, 'causal', 3000)
    assert {(train[0], test[0]) for train, test in draws} == {(0, 7), (0, 8), (7, 8)}
    # A failure draws the base anew: 0 is kept only when drawn on the third try or later (or never reached
    # sooner).
    share = sum(train[0] == 0 for train, _ in draws) / len(draws)
    # Bases 0, 7, 8: tries 1 and 2 succeed only with 7 (1/3 each); from try 3 on 0 and 7 are equally likely.
    assert share == pytest.approx((2 / 3) ** 2 / 2, abs=0.03)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=20, max_size=60), st.integers(1, 3), st.integers(0, 3),
       st.integers(0, 5), st.sampled_from(['causal', 'interval']), st.integers(0, 10**6))
def test_usable_sequences_always_give_visible_frames(visible, num_train, num_test, gap, mode, seed):
    random.seed(seed)
    if sum(visible) <= 2 * (num_train + num_test):
        return
    train, test = draw_frames(visible, num_train, num_test, gap, mode)
    assert len(train) == num_train and len(test) == num_test
    assert all(visible[i] for i in train + test)
    if mode == 'causal':
        assert all(i < train[0] for i in train[1:]) and all(i > train[0] for i in test)


def test_nothing_to_draw_is_an_error_and_ends():
    with pytest.raises(UserError, match='0 of them visible'):
        draw_frames([False] * 30, 1, 1, 5, 'interval')
    with pytest.raises(UserError, match='causal'):
        draw_frames([True] + [False] * 30, 2, 1, 5, 'causal')
    with pytest.raises(UserError, match='causal'):
        draw_frames([False] * 10 + [True] + [False] * 10, 1, 1, 5, 'causal')
    with pytest.raises(ValueError, match='frame_sample_mode'):
        draw_frames([True] * 30, 1, 1, 5, 'random')
