"""What PrDiMP's training is fed with: densities that integrate to one, and boxes drawn from them."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.data import bounding_box_utils as bb
from ltr.data.kl_labels import gaussian_label_density
from ltr.data.kl_proposals import draw_gmm_proposals, mixture_density, normal_density
from ltr.data.labels import gaussian_label_function
from ltr.data.processing import DiMPProcessing, KLDiMPProcessing
from ltr.tensors import TensorDict

SIGMAS = ((0.05, 0.05), (0.5, 0.5))
PROPOSALS = {'boxes_per_frame': 16, 'gt_sigma': (0.05, 0.05), 'proposal_sigma': SIGMAS}
LABEL = {'feature_sz': 18, 'sigma_factor': 0.05, 'kernel_sz': 4}
NONE = {'train': 0.0, 'test': 0.0}

number = st.floats(0, 300, width=32)
size = st.floats(2, 200, width=32)
boxes = st.tuples(number, number, size, size).map(lambda box: torch.tensor(box, dtype=torch.float64))


@settings(deadline=None)
@given(boxes, boxes)
def test_relative_coordinates_go_back_and_are_logarithms(box, reference):
    relative = bb.xywh_to_relative(box, reference[2:])
    torch.testing.assert_close(bb.relative_to_xywh(relative, reference[2:]), box, rtol=1e-9, atol=1e-6)
    assert relative[2].item() == pytest.approx(math.log(box[2].item()))
    assert relative[1].item() == pytest.approx((box[1] + box[3] / 2).item() / reference[3].item())


def grid(reach: float, points: int) -> tuple[torch.Tensor, float]:
    """Points (points^4, 4) of a cube around 0, and the volume of a cell."""
    axis = torch.linspace(-reach, reach, points, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis, axis, axis), (2 * reach / (points - 1)) ** 4


@pytest.mark.parametrize(('density', 'reach'), [
    (lambda x: normal_density(x, (0.05, 0.08)), 0.4), (lambda x: normal_density(x, (0.5, 0.5)), 2.5),
    (lambda x: mixture_density(x, ((0.2, 0.25), (0.4, 0.3))), 1.8)])
def test_densities_integrate_to_one(density, reach):
    points, volume = grid(reach, 31)
    assert (density(points).sum() * volume).item() == pytest.approx(1, abs=1e-3)


def test_mixture_by_hand():
    offset = torch.tensor([0.03, -0.02, 0.1, 0.2], dtype=torch.float64)

    def normal(x: float, sigma: float) -> float:
        return math.exp(-x * x / (2 * sigma ** 2)) / (math.sqrt(2 * math.pi) * sigma)

    parts = [normal(0.03, c) * normal(-0.02, c) * normal(0.1, s) * normal(0.2, s) for c, s in ((0.1, 0.2), (0.5, 0.4))]
    found = mixture_density(offset, ((0.1, 0.2), (0.5, 0.4)))
    assert found.item() == pytest.approx(sum(parts) / 2, rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(boxes, st.integers(0, 10**6))
def test_densities_are_those_at_the_proposals(box, seed):
    """Recovered from the boxes themselves: each number belongs to its box."""
    torch.manual_seed(seed)
    proposals, drawn, label = draw_gmm_proposals(box, **PROPOSALS)
    assert proposals.shape == (16, 4) and drawn.shape == label.shape == (16,) and (proposals[:, 2:] > 0).all()
    offset = bb.xywh_to_relative(proposals, box[2:]) - bb.xywh_to_relative(box, box[2:])
    torch.testing.assert_close(drawn, mixture_density(offset, SIGMAS), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(label, normal_density(offset, (0.05, 0.05)), rtol=1e-6, atol=1e-9)


def test_proposals_are_drawn_from_the_density_that_they_state():
    """Importance sampling with the stated density finds known integrals: the label's mass, mean and variances."""
    torch.manual_seed(0)
    box = torch.tensor([80.0, 90, 60, 40], dtype=torch.float64)
    components = (0.2, 0.3), (0.5, 0.4)
    proposals, drawn, label = draw_gmm_proposals(box, 200_000, gt_sigma=(0.2, 0.25), proposal_sigma=components)
    offset = bb.xywh_to_relative(proposals, box[2:]) - bb.xywh_to_relative(box, box[2:])
    ratio = (label / drawn)[:, None]
    assert ratio.mean().item() == pytest.approx(1, abs=0.02)
    assert (ratio * offset).mean(dim=0).abs().max() < 3e-3
    torch.testing.assert_close((ratio * offset.square()).mean(dim=0).sqrt(),
                               torch.tensor([0.2, 0.2, 0.25, 0.25], dtype=torch.float64), rtol=0.03, atol=0)
    centre, size = (0.5 * (0.2 ** 2 + 0.5 ** 2)) ** 0.5, (0.5 * (0.3 ** 2 + 0.4 ** 2)) ** 0.5
    torch.testing.assert_close(offset.std(dim=0), torch.tensor([centre, centre, size, size], dtype=torch.float64),
                               rtol=0.02, atol=0)


def test_the_mean_box_comes_first_and_is_marked():
    torch.manual_seed(0)
    box = torch.tensor([80.0, 90, 60, 40])
    proposals, drawn, label = draw_gmm_proposals(box, **PROPOSALS, add_mean_box=True)
    assert len(proposals) == len(drawn) == len(label) == 17
    assert torch.equal(proposals[0], box) and drawn[0] == -1 and label[0] == 1 and (drawn[1:] > 0).all()


class TestLabelDensity:
    def density(self, x: float = 100, **options) -> torch.Tensor:
        return gaussian_label_density(torch.tensor([x, 130.0, 40, 20]), 0.05, 4, 18, 288, **options)

    def test_shape_is_that_of_the_label_and_the_sum_is_one(self):
        label = gaussian_label_function(torch.tensor([100, 130.0, 40, 20]), 0.05, 4, 18, 288)
        plain = self.density(normalize=False)
        torch.testing.assert_close(plain, label / (2 * math.pi * 0.9 ** 2))
        assert plain.sum().item() == pytest.approx(1, abs=1e-3)
        assert self.density().sum().item() == pytest.approx(1, abs=1e-6)

    def test_uniform_share_threshold_and_shrinking(self):
        assert self.density(uni_weight=0.4).min().item() == pytest.approx(0.4 / 361, rel=1e-3)
        plain, cut = self.density(normalize=False), self.density(normalize=False, threshold=0.05)
        assert torch.equal(cut, torch.where(plain > 0.05, plain, 0)) and (cut > 0).sum() < (plain > 1e-3).sum()
        torch.testing.assert_close(self.density(shrink=0.3), 0.7 * self.density())

    def test_a_target_outside_is_anywhere(self):
        """Exactly where the sum on the map is at most 0.01."""
        torch.testing.assert_close(self.density(99999999.9), torch.full((19, 19), 1 / 361))
        edge = [float(self.density(x, normalize=False).sum()) for x in (300, 310)]
        assert edge[0] > 0.01 > edge[1]
        assert self.density(300).max() > 0.05 and self.density(310).max() == self.density(310).min()


def sample(frames: int = 3) -> TensorDict:
    images = [np.full((240, 320, 3), 90, np.uint8) for _ in range(2 * frames)]
    anno = [torch.tensor([100.0 + 5 * i, 90 + 3 * i, 40, 50]) for i in range(2 * frames)]
    return TensorDict(train_images=images[:frames], train_anno=anno[:frames], test_images=images[frames:],
                      test_anno=anno[frames:])


def seed() -> None:
    random.seed(0)
    torch.manual_seed(0)


def kl(**more) -> KLDiMPProcessing:
    jitter = {'train': 3.0, 'test': 4.5}
    return KLDiMPProcessing(5, 288, jitter, {'train': 0.25, 'test': 0.5}, mode='sequence', proposal_params=PROPOSALS,
                            label_function_params=LABEL, label_density_params=LABEL, **more)


def test_processing_adds_densities():
    seed()
    data = kl()(sample())
    assert data['test_images'].shape == (3, 3, 288, 288) and data['test_proposals'].shape == (3, 16, 4)
    assert data['proposal_density'].shape == data['gt_density'].shape == (3, 16) and 'proposal_iou' not in data
    for frame in range(3):
        box = data['test_anno'][frame]
        offset = bb.xywh_to_relative(data['test_proposals'][frame], box[2:]) - bb.xywh_to_relative(box, box[2:])
        expected = normal_density(offset, (0.05, 0.05))
        torch.testing.assert_close(data['gt_density'][frame], expected, rtol=1e-2, atol=1e-2)
    for name in ('train', 'test'):
        label, density = data[f'{name}_label'], data[f'{name}_label_density']
        assert label.shape == density.shape == (3, 19, 19)
        torch.testing.assert_close(density.sum(dim=(1, 2)), torch.ones(3))
        shown = label.amax(dim=(1, 2)) > 0.9
        assert shown.any() and torch.equal(label.flatten(1).argmax(dim=1)[shown], density.flatten(1).argmax(1)[shown])


def test_crops_are_those_of_dimp():
    """Same draws, same crops: only proposals and labels differ."""
    jitter, scale = {'train': 3.0, 'test': 4.5}, {'train': 0.25, 'test': 0.5}
    seed()
    ours = kl(crop_type='inside_major', max_scale_change=1.5)(sample())
    seed()
    theirs = DiMPProcessing(5, 288, jitter, scale, 'inside_major', 1.5, 'sequence')(sample())
    assert all(torch.equal(ours[key], theirs[key]) for key in ('train_anno', 'test_anno', 'test_images'))


def test_frames_with_a_distractor_alone():
    """Its proposals are drawn around it, but label and annotation do not know where it is."""
    data = sample(2)
    data['is_distractor_test_frame'], data['is_distractor_train_frame'] = [False, True], [False, False]
    seed()
    marked = kl()(data)
    seed()
    plain = kl()(sample(2))
    assert torch.equal(marked['test_proposals'], plain['test_proposals'])
    assert torch.equal(marked['gt_density'], plain['gt_density'])
    assert (marked['test_anno'][1, :2] > 99999).all() and torch.equal(marked['test_anno'][0], plain['test_anno'][0])
    assert torch.equal(marked['train_anno'], plain['train_anno'])
    assert not marked['test_label'][1].any() and torch.equal(marked['test_label'][0], plain['test_label'][0])
    torch.testing.assert_close(marked['test_label_density'][1], torch.full((19, 19), 1 / 361))


def test_unknown_words():
    with pytest.raises(ValueError, match=r"unknown proposal_params: \['min_iou'\]"):
        KLDiMPProcessing(5, 288, NONE, NONE, proposal_params={'boxes_per_frame': 8, 'min_iou': 0.1})
    with pytest.raises(ValueError, match="unknown proposal_params: \\['gt_sigma'\\]"):
        DiMPProcessing(5, 288, NONE, NONE, proposal_params={'boxes_per_frame': 8, 'gt_sigma': (1, 1)})
