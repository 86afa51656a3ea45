"""Box refinement computes no more than it needs, and gets the same numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.bbreg.iou_gradient import IoUHead
from ltr.models.bbreg.window import Window, conv_blocks_on, whole
from ltr.models.layers.blocks import conv_block
from pytracking.tracker.common import climber, iou_objective
from pytracking.tracker.common.iou_objective import IoUObjective
from pytracking.tracker.common.refinement import ascend, climb
from pytracking.utils.params import TrackerParams
from tests.evaluation.test_atom_tracker import small, video

ROWS, COLUMNS = 18, 15  # of stride 8


def double(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(scope='module')
def net() -> AtomIoUNet:
    torch.manual_seed(0)
    net = AtomIoUNet((6, 9), (8, 12), (10, 14), (8, 8, 8)).double().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return net.requires_grad_(False)


@pytest.fixture(scope='module')
def maps() -> list[Tensor]:
    return [double(1, 6, ROWS, COLUMNS), double(1, 9, (ROWS + 1) // 2, (COLUMNS + 1) // 2, seed=1)]


MODULATION = [double(1, 8, 1, 1, seed=2), double(1, 12, 1, 1, seed=3)]
BOXES = torch.tensor([[40.0, 50, 30, 40], [44.3, 47.2, 33, 28], [48, 56, 16, 24], [20, 44, 60.5, 50]],
                     dtype=torch.float64)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_window_has_the_numbers_of_the_map(data):
    """Also at the border, where a cell that the map does not have is zero for each of the convolutions."""
    blocks = [conv_block(3, 4).double().eval(), conv_block(4, 2).double().eval()]
    feat = double(1, 3, data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)))
    spans = []
    for length in feat.shape[-2:]:
        first = data.draw(st.integers(0, length - 1))
        spans.append((first, data.draw(st.integers(first + 1, length))))
    window = Window(*spans)
    expected = blocks[1](blocks[0](feat))[:, :, slice(*window.rows), slice(*window.columns)]
    torch.testing.assert_close(conv_blocks_on(blocks, feat, window), expected, rtol=1e-12, atol=1e-12)


class TestGradient:
    def autograd(self, net: AtomIoUNet, maps: list[Tensor], boxes: Tensor) -> tuple[Tensor, Tensor]:
        boxes = boxes.clone().requires_grad_()
        iou = net.predict_iou(MODULATION, net.get_iou_feat(maps), boxes[None])[0]
        return iou.detach(), torch.autograd.grad(iou.sum(), boxes)[0]

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.floats(-60, 160), st.floats(-60, 160), st.floats(-5, 150), st.floats(-5, 150)),
                    min_size=1, max_size=4))
    def test_is_that_of_autograd(self, net, maps, rows):
        """For boxes in, across and out of the map, and for boxes without an area."""
        boxes = torch.tensor(rows, dtype=torch.float64)
        boxes[:, 2:] = torch.where(boxes[:, 2:].abs() < 0.5, 0.0, boxes[:, 2:])
        frame = IoUHead(net).on(MODULATION, net.get_iou_feat(maps), [whole(f) for f in maps])
        value, gradient = frame.value_and_gradient(boxes)
        expected, slope = self.autograd(net, maps, boxes)
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(gradient, slope, rtol=1e-8, atol=1e-9)

    def test_there_is_one(self, net, maps):
        assert self.autograd(net, maps, BOXES)[1].abs().min() > 1e-6, 'else the test above compares zeros'

    def test_no_area_no_gradient(self, net, maps):
        frame = IoUHead(net).on(MODULATION, net.get_iou_feat(maps), [whole(f) for f in maps])
        value, gradient = frame.value_and_gradient(BOXES * torch.tensor([1, 1, 0, 1]))
        assert not gradient.any() and value.isfinite().all()


class TestWindows:
    def counted(self, monkeypatch) -> list[Window]:
        made: list[Window] = []

        def record(blocks, feat, window):
            made.append(window)
            return conv_blocks_on(blocks, feat, window)
        monkeypatch.setattr(iou_objective, 'conv_blocks_on', record)
        return made

    def test_same_numbers_from_fewer_cells(self, net, maps, monkeypatch):
        made = self.counted(monkeypatch)
        feat = [double(1, 6, 36, 36), double(1, 9, 18, 18, seed=1)]
        expected = IoUHead(net).on(MODULATION, net.get_iou_feat(feat), [whole(f) for f in feat])
        boxes = BOXES + torch.tensor([60, 60, 0, 0])
        objective = IoUObjective(net, IoUHead(net), MODULATION, feat)
        for found, other in zip(objective.value_and_gradient(boxes), expected.value_and_gradient(boxes), strict=True):
            torch.testing.assert_close(found, other, rtol=1e-11, atol=1e-11)
        assert len(made) == 2 and made[0].rows[1] - made[0].rows[0] < 24 and made[1].columns[1] < 18

    def test_boxes_that_leave_it(self, net, monkeypatch):
        """Every move has the numbers of the map; a window that boxes leave grows, at last to the map."""
        made = self.counted(monkeypatch)
        feat = [double(1, 6, 36, 36), double(1, 9, 18, 18, seed=1)]
        expected = IoUHead(net).on(MODULATION, net.get_iou_feat(feat), [whole(f) for f in feat])
        objective = IoUObjective(net, IoUHead(net), MODULATION, feat)
        for move in (0, 2, 60, 150, 5, 300, -200):
            boxes = BOXES + torch.tensor([move, move / 2, 0, 0])
            for found, other in zip(objective.value_and_gradient(boxes), expected.value_and_gradient(boxes),
                                    strict=True):
                torch.testing.assert_close(found, other, rtol=1e-11, atol=1e-11)
        assert len(made) == 6 and made[-2:] == [whole(f) for f in feat], 'a window, a larger one, the map'

    @pytest.mark.parametrize('box', [(1e9, -1e9, 30, 30), (-400, 900, 20, 20), (10, 10, 1e20, 1e20),
                                     (math.nan, 1, 2, 3), (1, 1, math.inf, 1)])
    def test_wild_boxes(self, net, maps, box):
        """They occur with untrained networks: no error, and where the box is a box, the numbers of the map."""
        boxes = torch.tensor([box], dtype=torch.float64)
        value, _ = IoUObjective(net, IoUHead(net), MODULATION, maps).value_and_gradient(boxes)
        whole_map = IoUHead(net).on(MODULATION, net.get_iou_feat(maps), [whole(f) for f in maps])
        torch.testing.assert_close(value, whole_map.value_and_gradient(boxes)[0], equal_nan=True)


@pytest.mark.parametrize('options', [{}, {'box_refinement_space': 'relative', 'box_refinement_step_length': 2.5e-3},
                                     {'box_refinement_step_decay': 0.8, 'box_refinement_step_length': (0.5, 0.1)}])
@pytest.mark.parametrize('own_steps', [False, True])
def test_refined_boxes_are_those_of_autograd(net, maps, options, own_steps):
    params = TrackerParams()
    params.set_default_values({'box_refinement_iter': 5, **options})
    features = net.get_iou_feat(maps)
    expected = ascend(lambda b: net.predict_iou(MODULATION, features, b[None])[0], BOXES, params, own_steps)
    objective = IoUObjective(net, IoUHead(net), MODULATION, maps)
    found = climb(objective.value_and_gradient, BOXES, params, own_steps)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)
    assert (found[0] - BOXES).abs().max() > 1e-4


def test_other_predictors_still_have_autograd(monkeypatch):
    """A network with an IoU predictor of its own is refined as before."""
    frames, boxes = video(4)
    tracked = []
    for known in (AtomIoUNet, type(None)):
        monkeypatch.setattr(climber, 'AtomIoUNet', known)
        tracker = small()
        tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
        tracked.append([tracker.track(frame)['target_bbox'] for frame in frames[1:]])
        assert (tracker.climber.head is None) == (known is type(None))
    np.testing.assert_allclose(tracked[0], tracked[1], atol=1e-2)
