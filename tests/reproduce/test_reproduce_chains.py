"""Targets that a detector sees again are linked, and none that it does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmd_plugin.data.box_records import Found
from cmd_plugin.reproduce.chains import GAP, chains, overlap, xywh


def at(x, label='person', score=0.5, side=20.0):
    return Found(x, 10.0, x + side, 10.0 + side, score, label)


def test_two_targets_that_move_are_two_chains_and_the_more_confident_comes_first():
    frames = [[at(2 * t), at(100 - 2 * t, score=0.8)] for t in range(10)]
    first, second = chains(frames, 10)
    assert (first.boxes[:, 0] == 100 - 2 * np.arange(10)).all() and first.score == pytest.approx(0.8)
    assert (second.boxes == [[2 * t, 10, 20, 20] for t in range(10)]).all()


def test_a_missed_frame_is_filled_between_its_neighbours_and_a_long_gap_ends_a_chain():
    frames = [[at(2 * t)] for t in range(12)]
    frames[5] = []
    [chain] = chains(frames, 12)
    assert chain.boxes[5].tolist() == [10, 10, 20, 20]
    for lost in (GAP, GAP + 1):
        frames = [[at(0)] if not 4 <= t < 4 + lost else [] for t in range(12)]
        assert [len(one.boxes) for one in chains(frames, 1)] == ([12] if lost == GAP else [4, 8 - lost])


def test_another_label_or_a_leap_is_another_target():
    assert chains([[at(0)], [at(0, 'car')]], 2) == []
    assert chains([[at(0)], [at(15)]], 2) == []


def test_the_greatest_overlap_wins():
    frames = [[at(0), at(10)], [at(9)]]
    assert chains(frames, 2)[0].boxes[:, 0].tolist() == [10, 9]


@given(st.lists(st.lists(st.tuples(st.integers(0, 60), st.sampled_from('ab')), max_size=4), max_size=12))
def test_every_detection_is_in_a_chain(frames):
    found = [[at(float(x), label, score=0.01 * (x + 1)) for x, label in sorted(set(one))] for one in frames]
    made = chains(found, 1)
    covered = [(chain.start + number, *box) for chain in made for number, box in enumerate(chain.boxes)]
    seen = {(t, b.x1, b.y1, 20.0, 20.0) for t, one in enumerate(found) for b in one}
    assert seen <= set(covered)
    assert sum(chain.start >= 0 and chain.stop <= len(frames) for chain in made) == len(made)


@pytest.mark.parametrize(('x', 'expected'), [(0.0, 1.0), (10.0, 1 / 3), (20.0, 0.0), (50.0, 0.0)])
def test_overlap(x, expected):
    assert overlap(xywh(at(0)), xywh(at(x))) == pytest.approx(expected)
