"""Pseudo boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmd_plugin.data.pseudo_boxes import (
    PSEUDO_BOXES,
    CenterArea,
    RandomSampling,
    check_pseudo_box,
    make_pseudo_box,
)
from cmd_plugin.errors import UserError

SIDES = st.integers(1, 5000)


def test_default_is_a_fifth_of_the_shorter_side(rng):
    assert CenterArea()(0, (384, 512), rng) == pytest.approx((217.6, 153.6, 76.8, 76.8))


@given(SIDES, SIDES, st.floats(0.01, 1))
def test_square_in_the_exact_centre(height, width, fraction):
    x, y, w, h = CenterArea(fraction)(0, (height, width), np.random.default_rng(0))
    assert w == h == pytest.approx(fraction * min(height, width))
    assert (x + w / 2, y + h / 2) == pytest.approx((width / 2, height / 2))
    check_pseudo_box((x, y, w, h), (height, width), 'pair')


@pytest.mark.parametrize('fraction', [0, -0.2, 1.01, math.nan])
def test_impossible_fraction(fraction):
    with pytest.raises(UserError, match='fraction must be in'):
        CenterArea(fraction)


@pytest.mark.parametrize('box', [
    (206, 540, 100, 200), (-1, 10, 20, 20), (10, -1, 20, 20), (1261, 10, 20, 20), (1300, 10, 5, 5)])
def test_box_outside_the_image(box):
    with pytest.raises(UserError, match=r'pair set/7\.png is outside the image of 1280 x 512 px'):
        check_pseudo_box(box, (512, 1280), 'set/7.png')


@pytest.mark.parametrize('box', [(10, 10, 0, 5), (10, 10, 5, -1), (math.nan, 1, 5, 5), (1, 1, math.inf, 5)])
def test_box_without_area(box):
    with pytest.raises(UserError, match=r'pair set/7\.png has no area'):
        check_pseudo_box(box, (512, 1280), 'set/7.png')


def test_box_as_large_as_the_image():
    check_pseudo_box((0, 0, 1280, 512), (512, 1280), 'pair')


@given(SIDES, SIDES, st.floats(0.01, 1), st.integers(0, 2 ** 31))
def test_random_square_wholly_inside_the_image(height, width, fraction, seed):
    box = RandomSampling(fraction)(0, (height, width), np.random.default_rng(seed))
    assert box[2] == box[3] == pytest.approx(fraction * min(height, width))
    check_pseudo_box(box, (height, width), 'pair')
    assert box == RandomSampling(fraction)(1, (height, width), np.random.default_rng(seed))


def test_random_squares_are_a_sixth_and_reach_every_edge(rng):
    """Several regions an image: 400 uniform draws come within 16 px of every edge (chance of a miss below 1e-5)."""
    boxes = np.array([RandomSampling()(0, (300, 600), rng) for _ in range(400)])
    assert (boxes[:, 2:] == 50).all()
    np.testing.assert_allclose(boxes[:, :2].min(axis=0), 0, atol=16)
    np.testing.assert_allclose(boxes[:, :2].max(axis=0), (550, 250), atol=16)
    np.testing.assert_allclose(boxes[:, :2].mean(axis=0), (275, 125), atol=25)


@pytest.mark.parametrize('fraction', [0, -0.2, 1.01, math.nan])
def test_impossible_fraction_of_random_squares(fraction):
    with pytest.raises(UserError, match='random_sampling: fraction must be in'):
        RandomSampling(fraction)


def test_kinds_by_name():
    assert list(PSEUDO_BOXES) == ['center_area', 'random_sampling', 'detection']
    assert make_pseudo_box('center_area') == CenterArea(1 / 5)
    assert make_pseudo_box('random_sampling') == RandomSampling(1 / 6)
    assert make_pseudo_box('center_area', 0.5) == CenterArea(0.5)
    assert make_pseudo_box('random_sampling', 0.5, None) == RandomSampling(0.5)


def test_an_unknown_kind():
    with pytest.raises(UserError, match=r"pseudo box 'detections': did you mean detection\?; there are center_area, "):
        make_pseudo_box('detections')


def test_detection_without_boxes_tells_the_command():
    with pytest.raises(UserError, match=r'python -m cmd_plugin detect --pairs DIR .*CMD_BOXES'):
        make_pseudo_box('detection', 1 / 6, None)
