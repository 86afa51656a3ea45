"""Overlap, clipping and the rule of selection."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou, nms

from cmd_plugin.data.box_choice import choose_boxes, clip_boxes, suppress
from cmd_plugin.data.detection import unjoined


@st.composite
def scenes(draw):
    """Boxes of whole pixels, scores that are all different, and which are persons."""
    count = draw(st.integers(0, 12))
    corners = draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20)),
                            min_size=count, max_size=count))
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float64).reshape(-1, 4)
    scores = np.array(draw(st.permutations(range(count))), np.float64) / 100
    return boxes, scores, np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), bool)


@given(scenes(), st.sampled_from([0.1, 0.45, 0.8]))
def test_suppression_is_that_of_torchvision(scene, overlap):
    boxes, scores, _ = scene
    expected = nms(torch.from_numpy(boxes), torch.from_numpy(scores), overlap)
    assert suppress(boxes, scores, overlap).tolist() == expected.tolist()


@given(scenes())
def test_the_rule_of_selection(scene):
    boxes, scores, persons = scene
    kept = choose_boxes(boxes, scores, persons)
    assert len(set(kept.tolist())) == len(kept) <= 5
    assert (~persons[kept]).sum() <= 2
    overlaps = box_iou(torch.from_numpy(boxes), torch.from_numpy(boxes)).numpy() if len(boxes) else np.zeros((0, 0))
    for one in kept:
        assert all(overlaps[one, other] <= 0.8 for other in kept if other != one)
    # Who is left out has a better one over it, or better ones of its kind have taken all the places.
    for left in set(range(len(boxes))) - set(kept.tolist()):
        beaten = any(overlaps[left, other] > 0.8 and scores[other] > scores[left] for other in range(len(boxes)))
        better = [one for one in kept if persons[one] == persons[left] and scores[one] > scores[left]]
        places = 5 - (~persons[kept]).sum() if persons[left] else 2
        assert beaten or len(better) == places


def test_the_rule_by_hand():
    """Seven persons and three cars: the two surest cars, then the three surest persons."""
    boxes = np.array([(50 * n, 0, 50 * n + 20, 30) for n in range(10)], float)
    scores = np.array([.9, .8, .7, .6, .5, .4, .3, .35, .95, .2])
    persons = np.array([True] * 7 + [False] * 3)
    assert choose_boxes(boxes, scores, persons).tolist() == [8, 7, 0, 1, 2]


def test_a_pair_of_rgb_and_tir_boxes_is_one_object():
    """Overlap 0.9 of the halves: the more confident one stands for both; overlap 0.5: two objects."""
    boxes = np.array([(0, 0, 10, 10), (0, 0, 10, 9), (100, 0, 110, 10), (100, 0, 110, 5)], float)
    assert choose_boxes(boxes, np.array([.5, .6, .7, .4]), np.ones(4, bool)).tolist() == [2, 1, 3]


def test_of_equal_confidence_the_rgb_box_stays():
    boxes = np.array([(0, 0, 10, 10), (0, 0, 10, 10)], float)
    assert choose_boxes(boxes, np.array([.5, .5]), np.ones(2, bool)).tolist() == [0]


def test_no_boxes():
    assert choose_boxes(np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool)).tolist() == []


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.floats(-50, 150)] * 4), max_size=8), st.integers(1, 100), st.integers(1, 100))
def test_clipped_boxes_lie_in_the_image_and_have_an_area(corners, height, width):
    boxes = np.array(corners).reshape(-1, 4)
    clipped, kept = clip_boxes(boxes, (height, width))
    assert len(clipped) == len(kept)
    for (x1, y1, x2, y2), place in zip(clipped, kept, strict=True):
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height and x2 - x1 >= 1 and y2 - y1 >= 1
        assert (x1, y1, x2, y2) == (max(0, boxes[place, 0]), max(0, boxes[place, 1]), min(width, boxes[place, 2]),
                                    min(height, boxes[place, 3]))
    dropped = np.delete(boxes, kept, axis=0)
    overlap = np.minimum(dropped[:, 2:], (width, height)) - np.maximum(dropped[:, :2], 0)
    assert (overlap.min(axis=1, initial=np.inf) < 1).all()


@pytest.mark.parametrize(('box', 'moved'), [
    ((650, 10, 700, 40), (10, 10, 60, 40)),     # on the joined canvas
    ((10, 10, 60, 40), (10, 10, 60, 40)),       # counted on the half already
    ((630, 10, 680, 40), (-10, 10, 40, 40)),    # a TIR object that leaves its half to the left
    ((600, 10, 660, 40), (600, 10, 660, 40)),   # one that leaves the half to the right
])
def test_tir_boxes_of_a_joined_canvas(box, moved):
    boxes = np.array([box, (700, 0, 710, 9)], np.float32)
    np.testing.assert_array_equal(unjoined(boxes, np.array([True, False]), 640), [moved, (700, 0, 710, 9)])
