"""Transforms: numbers, composition, and frames of any number of channels."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.data import transforms as tfm

RNG = np.random.default_rng(0)
PAIR = RNG.integers(0, 256, (24, 32, 6), dtype=np.uint8)
RGB = PAIR[:, :, :3]
BOX = torch.tensor([3.0, 4, 10, 6])


def test_to_tensor_and_normalize():
    steps = tfm.Transform(tfm.ToTensor(), tfm.Normalize(mean=[0.1, 0.2, 0.3], std=[0.5, 0.6, 0.7]))
    expected = (RGB / 255.0 - [0.1, 0.2, 0.3]) / [0.5, 0.6, 0.7]
    result = steps(image=RGB)
    assert result.dtype == torch.float32
    np.testing.assert_allclose(result.numpy(), expected.transpose(2, 0, 1), atol=1e-5)


@pytest.mark.parametrize('inplace', [False, True])
def test_normalize_six_channels(inplace):
    mean, std = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    tensor = tfm.ToTensor().transform_image(PAIR)
    original = tensor.clone()
    result = tfm.Normalize(mean, std, inplace).transform_image(tensor)
    np.testing.assert_allclose(result.numpy(), ((PAIR / 255.0 - mean) / std).transpose(2, 0, 1), atol=1e-5)
    assert torch.equal(tensor, original) != inplace


def test_normalize_refuses_other_channels_and_numpy():
    with pytest.raises(ValueError, match='3 means, the image 6 channels'):
        tfm.Transform(tfm.ToTensor(), tfm.Normalize([0] * 3, [1] * 3))(image=PAIR)
    with pytest.raises(TypeError, match='ToTensor'):
        tfm.Normalize([0] * 6, [1] * 6).transform_image(PAIR)


@pytest.mark.parametrize('normalize', [True, False])
@pytest.mark.parametrize('image', [RGB, PAIR])
def test_brightness(normalize, image):
    step = tfm.ToTensorAndJitter(0.2, normalize)
    random.seed(0)
    factors = [step.roll() for _ in range(2000)]
    assert 0.8 <= min(factors) < 0.805 and 1.195 < max(factors) <= 1.2
    top = 1 if normalize else 255
    expected = (image.astype(np.float64) * 1.2 / (255 if normalize else 1)).clip(0, top)
    bright = step.transform_image(image, 1.2).numpy()
    np.testing.assert_allclose(bright, expected.transpose(2, 0, 1), rtol=1e-5)
    assert tfm.ToTensorAndJitter().roll() == 1
    assert min(tfm.ToTensorAndJitter(3).roll() for _ in range(500)) >= 0


@pytest.mark.parametrize('image', [RGB, PAIR, PAIR[:, :, :1], tfm.ToTensor().transform_image(PAIR)])
def test_flip_is_an_involution_and_moves_the_box_along(image):
    flip = tfm.Transform(tfm.RandomHorizontalFlip(1.0))
    once, box = flip(image=image, bbox=BOX)
    axis = 2 if isinstance(image, torch.Tensor) else 1
    np.testing.assert_array_equal(np.asarray(once), np.flip(np.asarray(image), axis))
    assert box.tolist() == [32 - 1 - 13, 4, 10, 6]
    twice, back = flip(image=once, bbox=box)
    np.testing.assert_array_equal(np.asarray(twice), np.asarray(image))
    assert torch.equal(back, BOX)


def test_flip_of_points_and_masks():
    mask = np.arange(24 * 32).reshape(24, 32)
    coords = torch.tensor([[1.0, 2], [0, 31]])
    _, flipped, points = tfm.Transform(tfm.RandomHorizontalFlip(1.0))(image=RGB, mask=mask, coords=coords)
    assert flipped[0, 0] == 31
    assert points.tolist() == [[1, 2], [31, 0]]


def test_probability_of_flips():
    random.seed(1)
    flip = tfm.RandomHorizontalFlip(0.3)
    assert sum(flip.roll() for _ in range(4000)) / 4000 == pytest.approx(0.3, abs=0.03)


def test_grey_and_bgr_act_on_groups_of_three():
    grey = tfm.Transform(tfm.ToGrayscale(1.0))(image=PAIR)
    luma = PAIR.reshape(24, 32, 2, 3) @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(grey.reshape(24, 32, 2, 3), luma[:, :, :, None].repeat(3, axis=3), atol=0.51)
    np.testing.assert_array_equal(tfm.Transform(tfm.ToBGR())(image=PAIR), PAIR[:, :, [2, 1, 0, 5, 4, 3]])
    thermal = RGB[:, :, :1].repeat(3, axis=2)
    np.testing.assert_array_equal(tfm.Transform(tfm.ToGrayscale(1.0))(image=thermal), thermal)
    np.testing.assert_array_equal(tfm.Transform(tfm.ToGrayscale(0.0))(image=PAIR), PAIR)
    with pytest.raises(ValueError, match='4 channels'):
        tfm.Transform(tfm.ToBGR())(image=PAIR[:, :, :4])


def test_blur_of_an_impulse_and_of_a_flat_image():
    impulse = np.zeros((21, 21, 6), np.uint8)
    impulse[10, 10] = 255
    blurred = tfm.Transform(tfm.Blur((2.0, 1.0)))(image=impulse).astype(float)
    kernel = [np.exp(-np.arange(-half, half + 1) ** 2 / (2 * sigma ** 2))
              for sigma, half in ((2.0, 4), (1.0, 2))]
    expected = 255 * np.outer(kernel[0] / kernel[0].sum(), kernel[1] / kernel[1].sum())
    np.testing.assert_allclose(blurred[6:15, 8:13, 5], expected, atol=1.5)
    assert not blurred[:6].any() and not blurred[:, :8].any()
    flat = np.full((9, 9, 3), 77, np.uint8)
    np.testing.assert_array_equal(tfm.Transform(tfm.Blur(1.5))(image=flat), flat)


@pytest.mark.parametrize('probability', [0.0, 1.0])
def test_random_blur(probability):
    changed = tfm.Transform(tfm.RandomBlur(2.0, probability))(image=PAIR)
    assert (changed != PAIR).any() == bool(probability)


def test_affine_of_nothing_is_the_identity():
    image, box = tfm.Transform(tfm.RandomAffine())(image=PAIR, bbox=BOX)
    np.testing.assert_array_equal(image, PAIR)
    torch.testing.assert_close(box, BOX)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_affine_moves_the_box_with_its_content(seed):
    image = np.zeros((200, 240, 6), np.uint8)
    image[80:120, 90:150, 5] = 255
    mask = (image[:, :, 5] > 0).astype(np.uint8)
    random.seed(seed)
    step = tfm.RandomAffine(max_rotation=30, max_scale=0.2, max_shift=0.1)
    moved, box, moved_mask = tfm.Transform(step)(image=image, bbox=torch.tensor([90.0, 80, 59, 39]),
                                                 mask=mask)
    for content in (moved[:, :, 5] > 127, moved_mask > 0):
        rows, columns = np.nonzero(content)
        found = [columns.min(), rows.min(), np.ptp(columns), np.ptp(rows)]
        np.testing.assert_allclose(box.numpy(), found, atol=2.5)
    assert not moved[:, :, :5].any()


class Shift(tfm.TransformBase):
    """A user's own transform: coordinates only; the box follows."""

    def roll(self):
        return random.random(), random.random()

    def transform_coords(self, coords, image_shape, dy, dx):
        return coords + torch.tensor([[dy], [dx]])


def test_own_transforms_get_their_roll_and_boxes_follow_points():
    random.seed(5)
    dy, dx = random.random(), random.random()
    random.seed(5)
    _, box = tfm.Transform(Shift())(image=RGB, bbox=BOX)
    torch.testing.assert_close(box, BOX + torch.tensor([dx, dy, 0, 0]))


def test_joint_and_separate_rolls():
    step = tfm.Transform(Shift())
    images, boxes = [RGB] * 4, [BOX] * 4
    random.seed(0)
    _, joint = step(image=images, bbox=boxes)
    _, same = step(image=images[:1], bbox=boxes[:1], new_roll=False)
    _, other = step(image=images[:1], bbox=boxes[:1])
    _, separate = step(image=images, bbox=boxes, joint=False)
    assert all(torch.equal(box, joint[0]) for box in [*joint, *same])
    assert not torch.equal(other[0], joint[0])
    assert len({tuple(box.tolist()) for box in separate}) == 4


def test_transforms_nest_and_leave_their_input_alone():
    before = PAIR.copy()
    nested = tfm.Transform([tfm.RandomHorizontalFlip(1.0)], tfm.Transform(tfm.ToBGR(), [tfm.ToTensor()]))
    result = nested(image=PAIR)
    expected = PAIR[:, ::-1, [2, 1, 0, 5, 4, 3]].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-6)
    np.testing.assert_array_equal(PAIR, before)
    assert len(nested.transforms) == 3


def test_bad_use():
    with pytest.raises(TypeError, match='not a TransformBase'):
        tfm.Transform('flip')
    with pytest.raises(TypeError, match='image'):
        tfm.Transform()(bbox=BOX)
    with pytest.raises(TypeError, match='box'):
        tfm.Transform()(image=RGB, box=BOX)
    with pytest.raises(TypeError, match='ToTensor'):
        tfm.Transform(tfm.ToTensor(), tfm.ToTensorAndJitter())(image=RGB)
    with pytest.raises(ValueError, match='zip'):
        tfm.Transform()(image=[RGB, RGB], bbox=[BOX])
