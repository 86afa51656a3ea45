import copy
import pickle

import pytest

from pytracking.tracker.base.basetracker import BaseTracker
from pytracking.utils.params import Choice, FeatureParams, TrackerParams


def test_defaults_do_not_overwrite():
    params = TrackerParams()
    params.a = 1
    params.set_default_values({'a': 2, 'b': 3})
    assert (params.a, params.b) == (1, 3)


def test_get_and_has():
    params = FeatureParams(a=None)
    assert params.has('a') and not params.has('b')
    assert params.get('a', 5) is None and params.get('b', 5) == 5
    with pytest.raises(AttributeError, match="'b'"):
        params.get('b')
    with pytest.raises(TypeError):
        params.get('b', 1, 2)


def test_copies_and_pickles():
    params = FeatureParams(a=[1], b=Choice(1, 2))
    for other in (copy.deepcopy(params), pickle.loads(pickle.dumps(params))):
        assert other.a == [1] and other.a is not params.a and list(other.b) == [1, 2]


def test_a_tracker_must_implement_both_methods():
    class Half(BaseTracker):
        def initialize(self, image, info):
            return {}

    with pytest.raises(TypeError, match='track'):
        Half(TrackerParams())
