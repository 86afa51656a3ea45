"""Trackers that share the network's work: who with whom, and what happens to failures."""

from __future__ import annotations

import numpy as np
import pytest

from pytracking.tracker.base.steps import Request, advance, finish, offers_steps, request, together


class Adder:
    """Asks for `start + 1`, then for ten times that."""

    log: list[tuple[str, int]]

    def __init__(self, start, log, key='k'):
        self.start, self.log, self.key = start, log, key

    def track(self, image, info):
        return finish(self.steps(image, info))

    def steps(self, image, info):
        one = yield request(self, '_plus', self.start, self.key)
        if one == 7:
            return 'early'
        return (yield request(self, '_times', one, self.key))

    def _plus(self, number):
        self.log.append(('plus', 1))
        if number < 0:
            raise ValueError('negative')
        return number + 1

    @staticmethod
    def _plus_together(trackers, numbers):
        trackers[0].log.append(('plus', len(numbers)))
        if min(numbers) < 0:
            raise ValueError('somebody is negative')
        return [number + 1 for number in numbers]

    def _times(self, number):
        self.log.append(('times', 1))
        return 10 * number


def test_equal_kinds_are_done_at_once_and_others_apart():
    log: list[tuple[str, int]] = []
    many = [Adder(start, log, key) for start, key in ((1, 'k'), (2, 'k'), (3, 'other'), (6, 'k'))]
    assert advance([one.steps(None, None) for one in many]) == [20, 30, 40, 'early']
    assert log == [('plus', 3), ('plus', 1), ('times', 1), ('times', 1), ('times', 1)]
    assert advance([]) == []


def test_alone_it_is_track():
    log: list[tuple[str, int]] = []
    assert Adder(4, log).track(None, None) == 50 and log == [('plus', 1), ('times', 1)]


def test_one_failure_is_its_own():
    """The joint work is done again one by one, and only the culprit ends."""
    log: list[tuple[str, int]] = []
    found = advance([Adder(start, log).steps(None, None) for start in (1, -5, 2)])
    assert found[0] == 20 and found[2] == 30 and isinstance(found[1], ValueError) and str(found[1]) == 'negative'
    assert log[:4] == [('plus', 3)] + 3 * [('plus', 1)]


def test_a_failure_of_the_joint_work_alone_is_not_hidden():
    def broken(inputs):
        raise RuntimeError('too large')

    def steps():
        yield Request('k', 1, lambda number: number, broken)
    with pytest.raises(RuntimeError, match='too large'):
        advance([steps(), steps()])
    assert advance([steps()]) == [None]


def test_a_tracker_may_deal_with_a_failure():
    def steps():
        try:
            yield Request('k', 1, lambda number: number / 0)
        except ZeroDivisionError:
            return 'dealt with'
    assert advance([steps(), steps()]) == 2 * ['dealt with']


def test_what_a_subclass_changes_alone_is_done_alone():
    class Own(Adder):
        def _plus(self, number):
            return number + 100

    class Both(Own):
        @staticmethod
        def _plus_together(trackers, numbers):
            return [number + 100 for number in numbers]

    class OwnTrack(Adder):
        def track(self, image, info):
            return 0

    log: list[tuple[str, int]] = []
    assert together([Own(1, log), Own(2, log)], '_plus', [1, 2]) == [101, 102]
    assert together([Both(1, log), Both(2, log)], '_plus', [1, 2]) == [101, 102]
    assert together([Adder(1, log), Adder(2, log)], '_plus', [1, 2]) == [2, 3] and log == [('plus', 2)]
    assert offers_steps(Adder) and offers_steps(Own) and not offers_steps(OwnTrack) and not offers_steps(np.ndarray)
