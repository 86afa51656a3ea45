"""Crops: the specified window, its pixels, and a box that lands where the target lands."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torchvision.ops import box_convert

from ltr.data.crops import (
    TooSmallBoxError,
    Window,
    atom_window,
    box_to_atom_crop,
    box_to_window,
    cut,
    dimp_window,
    sample_target,
)

coordinate = st.floats(-50, 250, width=32)
size = st.floats(1, 120, width=32)
boxes = st.tuples(coordinate, coordinate, size, size).map(lambda box: torch.tensor(box))
image_sizes = st.tuples(st.integers(2, 300), st.integers(2, 300))


def ramp(width: int, height: int, channels: int = 3) -> np.ndarray:
    """Image whose pixels tell their column (channel 0) and row (channel 1)."""
    image = np.zeros((height, width, channels), np.uint8)
    image[:, :, 0] = np.arange(width)
    image[:, :, 1] = np.arange(height)[:, None]
    return image


def test_cut_replicates_the_border_and_drops_the_last_column():
    image = ramp(10, 8)
    inside = cut(image, Window(6, 2, 3, 4), (3, 4))
    np.testing.assert_array_equal(inside[0, :, 0], [6, 7, 8])
    np.testing.assert_array_equal(inside[:, 0, 1], [2, 3, 4, 5])
    touching = cut(image, Window(6, 4, 4, 4), (4, 4))
    np.testing.assert_array_equal(touching[0, :, 0], [6, 7, 8, 8])
    np.testing.assert_array_equal(touching[:, 0, 1], [4, 5, 6, 6])
    outside = cut(image, Window(-2, -1, 14, 5), (14, 5))
    np.testing.assert_array_equal(outside[0, :, 0], [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8])
    np.testing.assert_array_equal(outside[:, 0, 1], [0, 0, 1, 2, 3])


@pytest.mark.parametrize('window', [Window(-40, -40, 5, 5), Window(90, 90, 5, 5), Window(-3, 2, 50, 1)])
def test_cut_far_outside_and_of_single_pixels(window):
    assert cut(ramp(10, 8), window, (16, 12)).shape == (12, 16, 3)
    assert cut(ramp(1, 1), window, (16, 12)).shape == (12, 16, 3)


@pytest.mark.parametrize('side', [40, 100, 288, 576, 900])
def test_a_modality_looks_the_same_alone_and_in_a_stack(rng, side):
    rgb, tir = (rng.integers(0, 256, (200, 260, 3), dtype=np.uint8) for _ in range(2))
    window = Window(-20, 13, side, side)
    pair = cut(np.concatenate((rgb, tir), axis=2), window, (288, 288))
    np.testing.assert_array_equal(pair[:, :, :3], cut(rgb, window, (288, 288)))
    np.testing.assert_array_equal(pair[:, :, 3:], cut(tir, window, (288, 288)))
    red = cut(rgb[:, :, :1], window, (288, 288))
    np.testing.assert_array_equal(red, pair[:, :, :1])


@settings(deadline=None)
@given(boxes, st.floats(1, 6))
def test_atom_window_is_the_specified_one(box, factor):
    x, y, w, h = (float(value) for value in box)
    side = math.ceil(math.sqrt(w * h) * factor)
    assert atom_window(box, factor) == (round(x + w / 2 - side / 2), round(y + h / 2 - side / 2), side, side)


@settings(deadline=None)
@given(boxes, boxes, st.integers(32, 320))
def test_atom_box_keeps_the_scale_and_the_centre_of_its_own_crop(centre_box, box, side):
    factor = side / atom_window(centre_box, 5).width
    own = box_to_atom_crop(centre_box, centre_box, factor, side)
    torch.testing.assert_close(own[:2] + own[2:] / 2, torch.full((2,), (side - 1) / 2), atol=1e-3, rtol=1e-4)
    moved = box_to_atom_crop(box, centre_box, factor, side)
    torch.testing.assert_close(moved[2:], box[2:] * factor)
    back = (moved[:2] + moved[2:] / 2 - (side - 1) / 2) / factor + centre_box[:2] + centre_box[2:] / 2
    torch.testing.assert_close(back, box[:2] + box[2:] / 2, atol=1e-2, rtol=1e-4)


@settings(deadline=None)
@given(boxes, image_sizes)
def test_dimp_window_lies_in_the_image_or_is_centred_on_it(box, image_sz):
    window = dimp_window(box, 5, (288, 288), image_sz)
    assert window.width == window.height == math.ceil(
        float(288 * torch.sqrt(box[2] * box[3] / (288 * 288)) * 5))
    for start, length, available in ((window.left, window.width, image_sz[0]),
                                     (window.top, window.height, image_sz[1])):
        if length <= available:
            assert start >= 0 and start + length <= available
        else:
            before, after = -start, start + length - available
            assert before >= 0 and after >= 0 and abs(before - after) <= 1


def test_dimp_window_stays_where_it_fits():
    assert dimp_window(torch.tensor([100.0, 90, 20, 20]), 5, (288, 288), (400, 300)) == (60, 50, 100, 100)
    # Half-integer corners round to even: 10.5 - 0.5 * 5 = 8, 11.5 - 2.5 = 9; 10 - 2.5 = 7.5 -> 8, 8.5 -> 8.
    assert dimp_window(torch.tensor([9.5, 10.5, 1, 1]), 5, (288, 288), (400, 300))[:2] == (8, 8)


@pytest.mark.parametrize(('crop_type', 'bound', 'expected'), [
    ('replicate', None, (-50, -100, 300, 300)), ('inside', None, (50, 0, 100, 100)),
    ('inside_major', None, (0, -50, 200, 200)), ('inside', 1.5, (0, -50, 200, 200)),
    ('inside_major', 1.25, (-20, -70, 240, 240))])
def test_inside_modes_shrink(crop_type, bound, expected):
    box = torch.tensor([70.0, 20, 60, 60])
    assert dimp_window(box, 5, (288, 288), (200, 100), crop_type, bound) == expected


def test_dimp_window_has_the_aspect_ratio_of_the_output():
    window = dimp_window(torch.tensor([400.0, 400, 40, 40]), 4, (288, 144), (1000, 1000))
    assert window.width == pytest.approx(2 * window.height, abs=2)
    assert math.sqrt(window.width * window.height) == pytest.approx(160, rel=0.02)


@settings(deadline=None)
@given(st.integers(10, 120), st.integers(10, 90), st.integers(8, 60), st.integers(8, 60),
       st.tuples(*[st.floats(-20, 20)] * 2), st.booleans())
def test_the_box_marks_the_target_in_the_crop(x, y, w, h, offset, atom):
    """Paste a bright rectangle, crop around a shifted box, and find it where the mapped box says."""
    image = np.zeros((200, 260, 6), np.uint8)
    image[y:y + h, x:x + w, 4] = 255
    box = torch.tensor([x, y, w, h], dtype=torch.float32)
    centre_box = box + torch.tensor([*offset, 0.0, 0.0])
    if atom:
        crop, factor = sample_target(image, centre_box, 5, 288)
        mapped = box_to_atom_crop(box, centre_box, factor, 288)
    else:
        window = dimp_window(centre_box, 5, (288, 288), (260, 200))
        crop, factor = cut(image, window, (288, 288)), 288 / window.width
        mapped = box_to_window(box, window, (288, 288))
    assert not crop[:, :, [0, 1, 2, 3, 5]].any()
    rows, columns = np.nonzero(crop[:, :, 4] > 127)
    assume(rows.size > 0)
    found = [columns.min(), rows.min(), columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()]
    corners = box_convert(mapped, 'xywh', 'xyxy').clamp(0, 288)
    # ATOM ignores the rounding of the window and takes half a pixel off: up to one image pixel.
    tolerance = 1.6 + (factor if atom else 0)
    np.testing.assert_allclose(box_convert(corners, 'xyxy', 'xywh').numpy(), found, atol=tolerance)


@pytest.mark.parametrize('bad', [[10, 10, 0, 5], [10, 10, 5, 0], [10, 10, -3, -4], [float('nan'), 0, 5, 5],
                                 [0, 0, float('nan'), 5], [0, 0, float('inf'), 5]])
def test_degenerate_boxes_are_refused(bad):
    box = torch.tensor(bad, dtype=torch.float32)
    image = ramp(64, 48)
    with pytest.raises(TooSmallBoxError, match='Too small bounding box'):
        sample_target(image, box, 5, 32)
    with pytest.raises(TooSmallBoxError, match='Too small bounding box'):
        dimp_window(box, 5, (32, 32), (64, 48))


def test_shrinking_to_nothing_is_refused():
    with pytest.raises(TooSmallBoxError):
        dimp_window(torch.tensor([0.0, 0, 1, 1]), 0.5, (288, 8), (1, 300), 'inside')


def test_unknown_crop_type():
    with pytest.raises(ValueError, match='crop_type'):
        dimp_window(torch.tensor([0.0, 0, 5, 5]), 5, (32, 32), (64, 48), 'outside')
