"""PrDiMP and SuperDiMP at tracking time: parameters, scores as a density, replaced options, a sequence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ltr.admin import plugins
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet18, klcedimpnet18
from ltr.models.tracking.kldimpnet import PRDIMP_OPTIONS
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.common.refinement import ascend
from pytracking.tracker.dimp import DiMP
from pytracking.tracker.dimp.defaults import dimp_params
from pytracking.tracker.dimp.descent import initial_filter, tracking_optimizer
from pytracking.tracker.dimp.kl_defaults import kl_params, prdimp_params
from pytracking.tracker.dimp.scores import preprocess
from pytracking.utils.params import TrackerParams
from tests.parity.named_weights import fill
from tests.parity.test_tracker_dimp import frames


@pytest.fixture(scope='module')
def prdimp() -> nn.Module:
    return fill(klcedimpnet18(backbone_pretrained=False, **PRDIMP_OPTIONS))


@pytest.fixture(scope='module')
def dimp() -> nn.Module:
    return fill(dimpnet18(backbone_pretrained=False, **STOCK_OPTIONS))


def tracker_of(params: TrackerParams, net: nn.Module, **changes) -> DiMP:
    params.use_augmentation = False
    for name, value in changes.items():
        setattr(params, name, value)
    params.net = NetWithBackbone(net, use_gpu=False)
    return DiMP(params)


@pytest.mark.parametrize(('name', 'values'), [
    ('prdimp18', {'image_sample_size': 288, 'search_area_scale': 5, 'border_mode': 'replicate',
                  'score_preprocess': 'softmax', 'target_not_found_threshold': 0.04}),
    ('prdimp50', {'image_sample_size': 352, 'search_area_scale': 6, 'border_mode': 'inside_major',
                  'patch_max_scale_change': 1.5, 'score_preprocess': 'softmax', 'target_not_found_threshold': 0.04}),
    ('super_dimp', {'image_sample_size': 352, 'search_area_scale': 6, 'border_mode': 'inside_major',
                    'patch_max_scale_change': 1.5, 'target_not_found_threshold': 0.25})])
def test_parameter_files(name, values):
    module = __import__(f'{plugins.load("pytracking.parameters", "dimp").__name__}.{name}', fromlist=['parameters'])
    params, dimp18 = module.parameters(), dimp_params()
    values = {**values, 'box_refinement_space': 'relative', 'box_refinement_iter': 10,
              'box_refinement_step_length': 2.5e-3}
    assert {key: params.get(key, None) for key in values} == values
    own = {key: value for key, value in vars(params).items() if key not in values and key != 'net'}
    assert own == {key: value for key, value in vars(dimp18).items() if key not in values}, 'the rest is as in dimp18'
    assert params.net.net_path == f'{name}.pth.tar'


@pytest.mark.parametrize('case', ['prdimp', 'prdimp wide', 'super_dimp'])
def test_the_target_is_followed(golden, prdimp, dimp, case):
    """Random weights, but the filter learns from the frames: the peak stays within a score cell of the target."""
    wide = case != 'prdimp'
    params, net = (kl_params(wide), dimp) if case == 'super_dimp' else (prdimp_params(wide), prdimp)
    # The thresholds are made for trained networks.
    tracker = tracker_of(params, net, use_iou_net=False, target_not_found_threshold=-1)
    boxes, images = golden('sequence')['boxes'][:7], frames(golden)[:7]
    tracker.initialize(images[0], {'init_bbox': boxes[0].tolist()})
    for image, box in zip(images[1:], boxes[1:], strict=True):
        found = np.array(tracker.track(image)['target_bbox'])
        cell = 16 * tracker.target_scale
        assert np.abs(found[:2] + found[2:] / 2 - box[:2] - box[2:] / 2).max() < cell < 15


def test_boxes_are_refined_and_scores_are_a_density(golden, prdimp, monkeypatch):
    tracker = tracker_of(prdimp_params(), prdimp)
    images = frames(golden)[:3]
    tracker.initialize(images[0], {'init_bbox': golden('sequence')['boxes'][0].tolist()})
    seen = []
    scores_of = tracker._scores
    monkeypatch.setattr(tracker, '_scores', lambda features: seen.append(scores_of(features)) or seen[-1])
    outputs = [tracker.track(image) for image in images[1:]]
    for scores, output in zip(seen, outputs, strict=True):
        assert scores.shape == (1, 19, 19) and scores.min() >= 0 and scores.sum() == pytest.approx(1, abs=1e-5)
        assert output['confidence'] == pytest.approx(scores.max())
    sizes = {tuple(np.round(output['target_bbox'][2:], 3)) for output in outputs}
    assert len(sizes) == 2 and all(np.isfinite(output['target_bbox']).all() for output in outputs)


class TestScores:
    maps = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0))

    def of(self, reg: float | None = None, **options) -> torch.Tensor:
        params = TrackerParams()
        params.set_default_values(options)
        return preprocess(self.maps, params, reg)

    def test_kinds(self):
        assert torch.equal(self.of(), self.maps) and torch.equal(self.of(score_preprocess='none'), self.maps)
        torch.testing.assert_close(self.of(score_preprocess='exp'), self.maps.exp())
        density = self.of(score_preprocess='softmax')
        torch.testing.assert_close(density.sum(dim=(1, 2)), torch.ones(2))
        expected = self.maps.exp() / (self.maps.exp().sum(dim=(1, 2), keepdim=True) + np.exp(2.0))
        torch.testing.assert_close(self.of(2.0, score_preprocess='softmax'), expected)

    def test_filter_sums_over_a_square(self):
        found = self.of(score_filter_ksz=3)
        assert found.shape == self.maps.shape
        assert found[1, 2, 3].item() == pytest.approx(self.maps[1, 1:4, 2:5].sum().item(), rel=1e-5)
        assert found[0, 0, 5].item() == pytest.approx(self.maps[0, :2, 4:].sum().item(), rel=1e-5)

    def test_mistakes(self, dimp):
        with pytest.raises(UserError, match="score_preprocess 'sigmoid' is none of none, exp, softmax"):
            tracker_of(kl_params(), dimp, score_preprocess='sigmoid')
        with pytest.raises(UserError, match='score_filter_ksz 4 is not odd'):
            tracker_of(kl_params(), dimp, score_filter_ksz=4)


class TestReplacedOptions:
    def test_a_changed_copy(self, prdimp):
        params = prdimp_params()
        optimizer = prdimp.classifier.filter_optimizer
        assert tracking_optimizer(prdimp, params) is optimizer
        params.softmax_reg, params.label_shrink, params.label_threshold, params.filter_reg = 1.5, 0.1, 0.0, 0.2
        changed = tracking_optimizer(prdimp, params)
        assert (changed.softmax_reg, changed.label_shrink, changed.label_threshold) == (1.5, 0.1, 0.0)
        assert changed.filter_reg.item() == pytest.approx(0.2) and changed.min_filter_reg == 0.2
        assert optimizer.softmax_reg is None and optimizer.filter_reg.item() == pytest.approx(0.05)
        assert optimizer.min_filter_reg == 0.05, 'the network is shared with other trackers'

    def test_they_reach_the_tracker(self, golden, prdimp):
        image, box = frames(golden)[0], golden('sequence')['boxes'][0].tolist()
        filters = []
        for changes in ({}, {'filter_reg': 0.5}, {'softmax_reg': 3.0}):
            tracker = tracker_of(prdimp_params(), prdimp, **changes)
            tracker.initialize(image, {'init_bbox': box})
            filters.append(tracker.filter)
        assert filters[1].norm() < 0.9 * filters[0].norm() and not torch.equal(filters[0], filters[2])
        tracker.track(frames(golden)[1])
        features = torch.zeros(1, 256, 18, 18)
        assert tracker._scores(features).sum() == pytest.approx(361 / (361 + np.exp(3.0)), rel=1e-4)

    def test_dimp_has_no_softmax(self, dimp):
        params = kl_params()
        params.softmax_reg = 1.0
        with pytest.raises(UserError, match='DiMPSteepestDescentGN, which knows no softmax_reg'):
            tracking_optimizer(dimp, params)
        params.softmax_reg, params.filter_reg = None, 0.3
        assert tracking_optimizer(dimp, params).min_filter_reg == 0.3

    def test_zero_filter(self, dimp):
        params, boxes = kl_params(), torch.tensor([[[100.0, 110, 60, 70]]])
        features = torch.randn(1, 1, 256, 18, 18)
        assert initial_filter(dimp, features, boxes, params).any()
        params.filter_init_zero = True
        zero = initial_filter(dimp, features, boxes, params)
        assert zero.shape == (1, 256, 4, 4) and not zero.any()


def test_relative_refinement_is_plain_ascent_there():
    """The score -|p - t|^2 of relative coordinates p: every step shrinks p - t by 1 - 2 step."""
    params = kl_params()
    params.box_refinement_step_length = 0.05
    boxes = torch.tensor([[40.0, 50, 60, 30], [45, 48, 50, 36]])
    target = torch.tensor([1.3, 2.0, np.log(55.0), np.log(35.0)])

    def relative(xywh: torch.Tensor) -> torch.Tensor:
        return torch.cat(((xywh[:, :2] + xywh[:, 2:] / 2) / torch.tensor([60.0, 30]), xywh[:, 2:].log()), dim=1)

    found, iou = ascend(lambda xywh: -(relative(xywh) - target).square().sum(dim=1), boxes, params)
    torch.testing.assert_close(relative(found) - target, 0.9 ** 10 * (relative(boxes) - target), rtol=1e-4, atol=1e-5)
    before_last = (0.9 ** 9 * (relative(boxes) - target)).square().sum(dim=1)
    torch.testing.assert_close(iou, -before_last, rtol=1e-3, atol=1e-6)


def test_a_stock_checkpoint_is_rebuilt_and_tracks(tmp_path, prdimp):
    """As the stock toolkit writes it: constructor by name, weights under `net`."""
    path = tmp_path / 'prdimp18.pth.tar'
    torch.save({'net': prdimp.state_dict(), 'constructor': prdimp.constructor, 'net_type': 'DiMPnet', 'epoch': 50},
               path)
    net, contents = load_network(path)
    assert contents['constructor'].fun_module == 'ltr.models.tracking.dimpnet'
    assert net.classifier.filter_optimizer.normalize_label
    assert all(torch.equal(value, prdimp.state_dict()[key]) for key, value in net.state_dict().items())
