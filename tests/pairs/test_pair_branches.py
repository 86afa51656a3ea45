"""Each branch has its own crop and its own box: mapped back to the image, that box is the pseudo box.

The crop is not asked where it comes from: the images are coordinate ramps, so that its pixels tell.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from cmd_plugin.data import CenterArea, PairedSampler, cross_modal_processing, split
from cmd_plugin.data.processing import PAIR_MEAN, PAIR_STD
from cmd_plugin.errors import UserError

HEIGHT, WIDTH, CONSTANT = 150, 200, 128
SEEDS = range(24)
BRANCHES = ('train', 'test')


class Ramps:
    """One pair: RGB = (x, y, constant), TIR = (W - 1 - x, H - 1 - y, constant)."""

    def __len__(self) -> int:
        return 1

    def read(self, index: int) -> np.ndarray:
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        constant = np.full_like(x, CONSTANT)
        return np.dstack([x, y, constant, WIDTH - 1 - x, HEIGHT - 1 - y, constant]).astype(np.uint8)

    def describe(self, index: int) -> str:
        return 'ramps'

    def get_name(self) -> str:
        return 'ramps'


def anywhere(index: int, size: tuple[int, int], rng: np.random.Generator,
             ) -> tuple[float, float, float, float]:
    """Any box of 15 to 60 px a side within the image."""
    w, h = rng.uniform(15, 60, 2)
    return rng.uniform(0, size[1] - w), rng.uniform(0, size[0] - h), w, h


def seed_all(seed: int) -> None:
    np.random.seed(seed)
    random.seed(seed)
    torch.manual_seed(seed)


def draw(seed: int, pseudo_box=anywhere, **settings):
    """A sample and the pseudo box it was made with."""
    boxes = []

    def recorded(*args):
        boxes.append(pseudo_box(*args))
        return boxes[-1]
    seed_all(seed)
    sample = PairedSampler(Ramps(), recorded, 1, cross_modal_processing(**settings))[0]
    return sample, boxes[0]


def values(sample, branch: str) -> tuple[np.ndarray, np.ndarray]:
    """Image coordinates (x, y) of every pixel, as the RGB and the TIR half of a crop tell, (2, S, S) each."""
    mean, std = (torch.tensor(value).view(6, 1, 1) for value in (PAIR_MEAN, PAIR_STD))
    rgb, tir = split(sample[f'{branch}_images'][0] * std + mean)
    # The constant channel tells the brightness factor, which differs from branch to branch.
    rgb, tir = rgb[:2] / rgb[2] * CONSTANT, tir[:2] / tir[2] * CONSTANT
    far = torch.tensor([WIDTH - 1.0, HEIGHT - 1.0]).view(2, 1, 1)
    return rgb.numpy(), (far - tir).numpy()


@dataclass
class Axis:
    """Image coordinate = slope * crop coordinate + start, both of pixel centres."""

    slope: float
    start: float

    @classmethod
    def fit(cls, told: np.ndarray, length: int) -> Axis:
        """Least squares over the pixels that are no replicated border."""
        inner = (told > 1.5) & (told < length - 3.5)
        slope, start = np.polyfit(np.flatnonzero(inner), told[inner], 1)
        return cls(float(slope), float(start))

    def back(self, low: float, high: float) -> tuple[float, float]:
        """Edges in the crop to edges in the image.

        The edge of pixel 0 is at 0, its centre at 0.5. A flip maps x to S - 1 - x as for pixel centres, so
        edges in a flipped crop are one pixel short.
        """
        shift = 1.0 if self.slope < 0 else 0.0
        ends = sorted(self.slope * (edge + shift - 0.5) + self.start + 0.5 for edge in (low, high))
        return ends[0], ends[1]


def axes(told: np.ndarray) -> tuple[Axis, Axis]:
    """Mapping of a crop along x and along y."""
    return Axis.fit(told[0].mean(axis=0), WIDTH), Axis.fit(told[1].mean(axis=1), HEIGHT)


def mapped_back(box: Tensor, told: np.ndarray) -> tuple[float, float, float, float]:
    """Box `xywh`, crop px, to image px."""
    x, y, w, h = box.tolist()
    along_x, along_y = axes(told)
    left, right = along_x.back(x, x + w)
    top, bottom = along_y.back(y, y + h)
    return left, top, right - left, bottom - top


def overlap(a, b) -> float:
    """Intersection over union of two boxes `xywh`."""
    sides = [max(0.0, min(a[i] + a[i + 2], b[i] + b[i + 2]) - max(a[i], b[i])) for i in (0, 1)]
    both = sides[0] * sides[1]
    return both / (a[2] * a[3] + b[2] * b[3] - both)


@pytest.mark.parametrize('seed', SEEDS)
def test_box_mapped_back_is_the_pseudo_box(seed):
    sample, pseudo_box = draw(seed)
    for branch in BRANCHES:
        anno, (rgb, tir) = sample[f'{branch}_anno'][0], values(sample, branch)
        # OpenCV's 8-bit resize comes out 1/8 grey level low on average: 1/8 px in a rising ramp, -1/8 in a
        # falling one. The mean of the two is exact but for noise.
        box = mapped_back(anno, (rgb + tir) / 2)
        assert overlap(box, pseudo_box) > 0.99
        np.testing.assert_allclose(box, pseudo_box, atol=0.08)
        for half in (rgb, tir):
            np.testing.assert_allclose(mapped_back(anno, half), pseudo_box, atol=0.25)


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_at_the_size_of_the_demo(seed):
    sample, pseudo_box = draw(seed, CenterArea(), output_sz=144, feature_sz=9)
    assert sample['test_label'].shape == (1, 10, 10)
    for branch in BRANCHES:
        assert sample[f'{branch}_images'].shape == (1, 6, 144, 144)
        told = np.mean(values(sample, branch), axis=0)
        assert overlap(mapped_back(sample[f'{branch}_anno'][0], told), pseudo_box) > 0.99


def test_the_box_of_the_other_branch_would_not_do():
    """The check above has teeth: the branches' boxes are not interchangeable."""
    overlaps = []
    for seed in SEEDS:
        sample, pseudo_box = draw(seed)
        swapped = mapped_back(sample['test_anno'][0], values(sample, 'train')[0])
        overlaps.append(overlap(swapped, pseudo_box))
    assert max(overlaps) < 0.95 and np.median(overlaps) < 0.3


@pytest.mark.parametrize('seed', SEEDS)
def test_both_modalities_of_a_branch_are_cropped_alike(seed):
    sample, _ = draw(seed)
    for branch in BRANCHES:
        rgb, tir = values(sample, branch)
        # Equal at every pixel, replicated borders included, but for rounding to 8 bits.
        np.testing.assert_allclose(rgb, tir, atol=1.01)


def test_branches_are_cropped_and_flipped_on_their_own():
    flips, ratios = set(), []
    for seed in SEEDS:
        sample, _ = draw(seed)
        train, test = (axes(values(sample, branch)[0])[0] for branch in BRANCHES)
        flips.add((train.slope < 0, test.slope < 0))
        ratios.append(abs(train.slope / test.slope))
    assert len(flips) == 4
    assert np.ptp(ratios) > 0.5


def test_brightness_differs_from_branch_to_branch_and_not_within():
    sample, _ = draw(0)
    mean, std = (torch.tensor(value).view(6, 1, 1) for value in (PAIR_MEAN, PAIR_STD))
    train, test = ((sample[f'{branch}_images'][0] * std + mean)[[2, 5]] for branch in BRANCHES)
    assert train.std() < 1e-6 and test.std() < 1e-6
    assert abs(train.mean() - test.mean()) > 0.01


@pytest.mark.parametrize('seed', SEEDS)
def test_labels_stand_on_the_boxes_of_their_branch(seed):
    """Stride 16, filter 4 x 4: the 19 x 19 label peaks at centre / 16 with sigma 0.05 * 18 cells."""
    sample, _ = draw(seed)
    cells = np.arange(19)
    for branch in BRANCHES:
        x, y, w, h = sample[f'{branch}_anno'][0].tolist()
        centres = (y + h / 2) / 16, (x + w / 2) / 16
        row, column = (np.exp(-(cells - centre) ** 2 / (2 * 0.9 ** 2)) for centre in centres)
        np.testing.assert_allclose(sample[f'{branch}_label'][0], np.outer(row, column), atol=1e-4)


@pytest.mark.parametrize('seed', SEEDS)
def test_proposals_are_around_the_box_of_the_test_branch(seed):
    sample, _ = draw(seed)
    box = sample['test_anno'][0].tolist()
    assert sample['test_proposals'].shape == (1, 8, 4)
    proposals, targets = sample['test_proposals'][0].tolist(), sample['proposal_iou'][0].tolist()
    for proposal, target in zip(proposals, targets, strict=True):
        assert overlap(proposal, box) > 0.1
        assert target == pytest.approx(2 * overlap(proposal, box) - 1, abs=1e-4)


def test_seeds_decide_everything():
    (one, box_one), (two, box_two), (other, box_other) = draw(5), draw(5), draw(6)
    assert box_one == box_two != box_other
    for key, value in one.items():
        if isinstance(value, Tensor):
            assert torch.equal(value, two[key]), key
    assert not torch.equal(one['train_images'], other['train_images'])


def test_split():
    images = torch.randn(2, 3, 6, 4, 5, requires_grad=True)
    rgb, tir = split(images)
    assert torch.equal(torch.cat([rgb, tir], dim=2), images)
    tir.sum().backward()
    assert images.grad is not None
    assert (images.grad[:, :, :3] == 0).all() and (images.grad[:, :, 3:] == 1).all()
    with pytest.raises(ValueError, match='6, H, W'):
        split(torch.zeros(3, 4, 5))


def test_a_pseudo_box_outside_stops_with_the_name_of_the_pair():
    with pytest.raises(UserError, match='ramps is outside the image of 200 x 150 px'):
        draw(0, lambda *_: (206, 540, 100, 200))
