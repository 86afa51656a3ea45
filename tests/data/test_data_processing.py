"""Processing: shapes, the order of steps, one box a crop, and reproducible draws."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from overlaps import iou_xywh

from ltr.data import transforms as tfm
from ltr.data.crops import TooSmallBoxError
from ltr.data.processing import ATOMProcessing, DiMPProcessing
from ltr.tensors import TensorDict

LABEL = {'feature_sz': 18, 'sigma_factor': 0.05, 'kernel_sz': 4}
PROPOSALS = {'min_iou': 0.1, 'boxes_per_frame': 8, 'sigma_factor': [0.01, 0.05, 0.1, 0.2, 0.3]}
JITTER = {'train': 3.0, 'test': 4.5}
SCALES = {'train': 0.25, 'test': 0.5}
NONE = {'train': 0.0, 'test': 0.0}


def frame(channels: int, x: int, y: int, w: int, h: int) -> np.ndarray:
    """Dark frame with a bright target."""
    image = np.full((240, 320, channels), 20, np.uint8)
    image[y:y + h, x:x + w] = 220
    return image


def sample(channels: int = 3, train: int = 3, test: int = 3) -> TensorDict:
    boxes = [(100 + 5 * i, 90 + 3 * i, 40, 50) for i in range(train + test)]
    images = [frame(channels, *box) for box in boxes]
    anno = [torch.tensor(box, dtype=torch.float32) for box in boxes]
    return TensorDict(train_images=images[:train], train_anno=anno[:train], test_images=images[train:],
                      test_anno=anno[train:], dataset='made', test_class=None)


def dimp(center=JITTER, scale=SCALES, mode='sequence', **more) -> DiMPProcessing:
    return DiMPProcessing(5, 288, center, scale, mode=mode, proposal_params=PROPOSALS,
                          label_function_params=LABEL, **more)


def seed(number: int = 0) -> None:
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def bright_box(crop: torch.Tensor) -> torch.Tensor:
    """Box `xywh` of the bright part of a crop (C, H, W)."""
    rows, columns = torch.nonzero(crop[0] > 0.5, as_tuple=True)
    low = torch.stack((columns.min(), rows.min()))
    return torch.cat((low, torch.stack((columns.max(), rows.max())) + 1 - low))


@pytest.mark.parametrize('channels', [1, 3, 6])
def test_dimp_shapes(channels):
    seed()
    data = dimp()(sample(channels, 3, 2))
    assert data['train_images'].shape == (3, channels, 288, 288)
    assert data['test_images'].shape == (2, channels, 288, 288)
    assert data['train_anno'].shape == (3, 4) and data['test_anno'].shape == (2, 4)
    assert data['test_proposals'].shape == (2, 8, 4) and data['proposal_iou'].shape == (2, 8)
    assert data['train_label'].shape == (3, 19, 19) and data['test_label'].shape == (2, 19, 19)
    assert data['dataset'] == 'made'


@pytest.mark.parametrize('number', range(5))
@pytest.mark.parametrize('kind', ['dimp', 'inside', 'atom', 'flip'])
def test_every_box_marks_the_target_of_its_own_crop(kind, number):
    seed(number)
    if kind == 'atom':
        process = ATOMProcessing(5, 288, JITTER, SCALES, PROPOSALS, mode='sequence')
    elif kind == 'inside':
        process = dimp(crop_type='inside_major', max_scale_change=1.5)
    else:
        flip = tfm.RandomHorizontalFlip(0.5 if kind == 'flip' else 0.0)
        process = dimp(joint_transform=flip, transform=tfm.Transform(tfm.ToTensor(), flip))
    data = process(sample(6))
    for name in ('train', 'test'):
        for crop, box in zip(data[f'{name}_images'], data[f'{name}_anno'], strict=True):
            whole = (box[:2] >= 1).all() and (box[:2] + box[2:] <= 287).all()
            if whole:
                assert iou_xywh(box, bright_box(crop).float()) > 0.87
    corners = data['test_anno'][:, :2]
    assert len({tuple(corner.tolist()) for corner in corners}) == 3, 'each frame has its own jitter'


def test_targets_and_labels_belong_to_the_transformed_boxes():
    seed(4)
    data = dimp(transform=tfm.Transform(tfm.ToTensor(), tfm.RandomHorizontalFlip(0.5)))(sample())
    overlap = iou_xywh(data['test_anno'].unsqueeze(1), data['test_proposals'])
    torch.testing.assert_close(data['proposal_iou'], 2 * overlap - 1, atol=1e-4, rtol=0)
    for name in ('train', 'test'):
        peak = data[f'{name}_label'].flatten(1).argmax(dim=1)
        centre = data[f'{name}_anno'][:, :2] + data[f'{name}_anno'][:, 2:] / 2
        inside = (centre.min(dim=1).values > 0) & (centre.max(dim=1).values < 288)
        expected = (centre / 16).round().long()
        found = torch.stack((peak % 19, peak // 19), dim=1)
        assert inside.any() and ((found - expected).abs()[inside] <= 1).all()


def test_both_modalities_get_the_same_crop_flip_and_brightness():
    seed(1)
    data = sample(3)
    for key in ('train_images', 'test_images'):
        data[key] = [np.concatenate((image, image), axis=2) for image in data[key]]
    steps = tfm.Transform(tfm.ToTensorAndJitter(0.2), tfm.RandomHorizontalFlip(0.5),
                          tfm.Normalize([0.4] * 6, [0.2] * 6))
    result = dimp(transform=steps, joint_transform=tfm.ToGrayscale(0.5))(data)
    for key in ('train_images', 'test_images'):
        assert torch.equal(result[key][:, :3], result[key][:, 3:])


def test_no_jitter_puts_the_target_in_the_middle():
    data = dimp(NONE, NONE)(sample(train=1, test=1))
    box = data['test_anno'][0]
    torch.testing.assert_close(box[:2] + box[2:] / 2, torch.full((2,), 144.0), atol=1.0, rtol=0)
    assert float(box[2:].prod().sqrt()) == pytest.approx(288 / 5, abs=0.5)


def test_jitter_has_the_specified_spread():
    seed()
    process = dimp({'train': 3.0, 'test': 0.0}, {'train': 0.25, 'test': 0.0})
    box = torch.tensor([100.0, 90, 40, 50])
    drawn = torch.stack([process.jitter(box, 'train') for _ in range(4000)])
    log_size = torch.log(drawn[:, 2:] / box[2:])
    torch.testing.assert_close(log_size.std(dim=0), torch.full((2,), 0.25), atol=0.02, rtol=0)
    reach = drawn[:, 2:].prod(dim=1).sqrt().unsqueeze(1) * 3
    u = (drawn[:, :2] + drawn[:, 2:] / 2 - torch.tensor([120.0, 115])) / reach
    assert u.min() >= -0.5 - 1e-4 and u.max() <= 0.5 + 1e-4
    torch.testing.assert_close(u.var(dim=0), torch.full((2,), 1 / 12), atol=0.005, rtol=0)
    assert abs(float(np.corrcoef(u.T.numpy())[0, 1])) < 0.06
    torch.testing.assert_close(process.jitter(box, 'test'), box)


def test_joint_transform_rolls_once_for_both_sets():
    seed()
    outcomes = set()
    for _ in range(20):
        data = DiMPProcessing(5, 64, NONE, NONE, mode='sequence', joint_transform=tfm.ToGrayscale(0.5))(
            colourful())
        crops = [*data['train_images'], *data['test_images']]
        grey = [bool((crop[0] == crop[2]).all()) for crop in crops]
        assert len(set(grey)) == 1
        outcomes.add(grey[0])
    assert outcomes == {True, False}


def colourful() -> TensorDict:
    data = sample()
    for key in ('train_images', 'test_images'):
        data[key] = [image * np.array([1, 0, 0], np.uint8) for image in data[key]]
    return data


def test_sets_have_their_own_transform_and_frames_their_own_roll():
    seed()
    process = DiMPProcessing(5, 64, NONE, NONE, mode='sequence', test_transform=tfm.ToTensor(),
                             train_transform=tfm.ToTensorAndJitter(0.1))
    data = process(sample(train=5, test=5))
    assert len({round(float(crop.max()), 4) for crop in data['train_images']}) == 5
    assert {round(float(crop.max()), 4) for crop in data['test_images']} == {round(220 / 255, 4)}


def test_pair_mode_has_no_frame_axis():
    seed()
    data = ATOMProcessing(5, 288, NONE, JITTER, PROPOSALS)(sample(train=1, test=1))
    assert data['train_images'].shape == (3, 288, 288) and data['test_anno'].shape == (4,)
    assert data['test_proposals'].shape == (8, 4) and data['proposal_iou'].shape == (8,)
    with pytest.raises(ValueError, match='sequence'):
        ATOMProcessing(5, 288, NONE, NONE, PROPOSALS)(sample())


def test_same_seed_same_sample():
    def once() -> TensorDict:
        seed(7)
        steps = tfm.Transform(tfm.RandomBlur(2.0, 0.5),
                              tfm.ToTensorAndJitter(0.2), tfm.RandomHorizontalFlip(0.5))
        return dimp(transform=steps, joint_transform=tfm.ToGrayscale(0.5))(sample())
    first, second = once(), once()
    assert all(torch.equal(first[key], second[key]) for key in first if isinstance(first[key], torch.Tensor))


def test_an_unlucky_jitter_is_drawn_again(monkeypatch):
    process = dimp()
    jitters = iter(torch.tensor([[0, 0, 0, 0], [0, 0, float('nan'), 3], [100.0, 90, 40, 50]]))
    monkeypatch.setattr(process, 'jitter', lambda box, name: next(jitters))
    crop, box = process.jittered_crop(frame(3, 100, 90, 40, 50), torch.tensor([100.0, 90, 40, 50]), 'train')
    assert crop.shape == (288, 288, 3) and box[2:].min() > 40


def test_a_hopeless_box_is_an_error_and_ends(monkeypatch):
    data = sample(train=1, test=1)
    data['test_anno'] = [torch.tensor([10.0, 10, 0, 0])]
    with pytest.raises(TooSmallBoxError, match='Too small bounding box'):
        dimp()(data)


def test_bad_settings():
    with pytest.raises(ValueError, match='mode'):
        dimp(mode='video')
    with pytest.raises(ValueError, match='crop_type'):
        dimp(crop_type='outside')
    with pytest.raises(ValueError, match='sigma'):
        ATOMProcessing(5, 288, NONE, NONE, {'boxes_per_frame': 8, 'sigmas': [0.1]})
