"""Box conversions, proposals and labels."""

from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from overlaps import iou_xywh

from ltr.data import bounding_box_utils as bb
from ltr.data.labels import gaussian_label_function
from ltr.data.proposals import draw_proposals, overlap, perturb_box

number = st.floats(0, 300, width=32)
size = st.floats(2, 200, width=32)
boxes = st.tuples(number, number, size, size).map(lambda box: torch.tensor(box))


@settings(deadline=None)
@given(boxes)
def test_conversions_go_back(box):
    torch.testing.assert_close(bb.cxcywh_to_xywh(bb.xywh_to_cxcywh(box)), box, atol=1e-3, rtol=0)


def test_conversions_by_hand():
    box = torch.tensor([10.0, 20, 4, 6])
    assert bb.xywh_to_cxcywh(box).tolist() == [12, 23, 4, 6]


def test_overlap_by_hand_and_without_area():
    assert overlap((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (20, 20, 5, 5)) == overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


@settings(deadline=None)
@given(boxes, boxes)
def test_overlap_is_that_of_torchvision_and_symmetric(a, b):
    found = overlap(a.tolist(), b.tolist())
    assert found == pytest.approx(float(iou_xywh(a, b)), abs=1e-4)
    assert found == pytest.approx(overlap(b.tolist(), a.tolist()), abs=1e-9)
    assert overlap(a.tolist(), a.tolist()) == pytest.approx(1)


@pytest.mark.parametrize(('box', 'meets'), [
    ((5, 5, 10, 10), True), ((-9, -9, 10, 10), True), ((63.5, 47.5, 10, 10), True), ((-100, -100, 500, 500), True),
    ((64, 5, 10, 10), False), ((5, 48, 10, 10), False), ((-10, 5, 10, 10), False), ((5, -10, 10, 10), False),
    ((5, 5, 0, 10), False), ((5, 5, 10, 0), False), ((5, 5, -3, 10), False), ((math.nan, 5, 10, 10), False),
    ((5, 5, math.inf, 10), False), ((-math.inf, 5, math.inf, 10), False)])
def test_boxes_outside_the_image(box, meets):
    assert bb.meets_image(box, 64, 48) is meets


@settings(deadline=None)
@given(boxes, st.integers(0, 10**6))
def test_proposals_overlap_and_say_by_how_much(box, seed):
    random.seed(seed)
    proposals, targets = draw_proposals(box, 8)
    assert proposals.shape == (8, 4) and targets.shape == (8,)
    iou = iou_xywh(box, proposals)
    torch.testing.assert_close(targets, 2 * iou - 1, atol=1e-4, rtol=0)
    assert (iou > 0.1).all() or box[2:].min() < 6
    assert (proposals[:, 2:] > 0).all()


def test_proposals_are_whole_pixels_and_spread_with_sigma():
    random.seed(3)
    box = torch.tensor([100.25, 80.5, 60, 70])
    near, far = (torch.stack([perturb_box(box, 0.1, sigma)[0] for _ in range(300)]) for sigma in (0.05, 0.3))
    assert torch.equal(near, near.round())
    deviation = 0.05 * (60 * 70) ** 0.5
    spread = bb.xywh_to_cxcywh(near).std(dim=0)
    torch.testing.assert_close(spread, torch.full((4,), deviation), atol=0.6, rtol=0)
    assert (far.std(dim=0) > 2 * near.std(dim=0)).all()


def test_the_deviation_shrinks_until_the_overlap_suffices():
    box = torch.tensor([100.0, 80, 60, 70])
    for number in range(30):
        random.seed(number)
        assert perturb_box(box, min_iou=0.8, sigma_factor=1.0)[1] > 0.8


def test_a_hopeless_overlap_returns_the_last_proposal():
    random.seed(0)
    box = torch.tensor([10.3, 10.3, 4.4, 4.4])
    proposal, iou = perturb_box(box, min_iou=0.999, sigma_factor=[0.3])
    assert iou == pytest.approx(float(iou_xywh(box, proposal)), abs=1e-5) and iou <= 0.999


@pytest.mark.parametrize(('kernel', 'pad', 'cells', 'shift'), [(4, True, 19, 0.0), (4, False, 18, 0.0),
                                                               (3, True, 18, -0.5)])
def test_label_peak_and_size(kernel, pad, cells, shift):
    box = torch.tensor([96.0, 128, 64, 32])
    label = gaussian_label_function(box, 0.05, kernel, 18, 288, pad)
    assert label.shape == (cells, cells)
    index = torch.arange(cells, dtype=torch.float32)
    x = (label.sum(dim=0) * index).sum() / label.sum()
    y = (label.sum(dim=1) * index).sum() / label.sum()
    expected = torch.tensor([128 / 16, 144 / 16]) + shift
    torch.testing.assert_close(torch.stack((x, y)), expected, atol=1e-3, rtol=0)


def test_label_of_rectangular_maps_and_any_leading_axes():
    label = gaussian_label_function(torch.rand(3, 2, 4) * 90 + 5, 0.05, (4, 3), (18, 9), (288, 144))
    assert label.shape == (3, 2, 9, 19)
    assert 0.2 < float(label.amax()) <= 1


def test_label_of_a_box_far_away_is_zero():
    assert not gaussian_label_function(torch.tensor([1e8, 1e8, 10, 10]), 0.05, 4, 18, 288).any()
