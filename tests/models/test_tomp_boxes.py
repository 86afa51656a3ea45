"""Boxes told by cells: distances to sides, regressor and loss, against truth written out or torchvision's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_convert, generalized_box_iou

from ltr.data.labels import gaussian_label_function
from ltr.models.bbreg.dense_box import DenseBoxRegressor
from ltr.models.bbreg.ltrb import boxes_of, cell_centres, ltrb_of
from ltr.models.loss.box_overlap import GIoULoss

SIZE = st.tuples(st.integers(1, 20), st.integers(1, 20))
BOX = st.tuples(*[st.floats(-50, 350)] * 2, *[st.floats(1, 300)] * 2)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=60, deadline=None)
@given(size=SIZE, box=BOX, stride=st.sampled_from([8, 16]))
def test_every_cell_tells_the_box_back(size, box, stride):
    boxes = torch.tensor([box, (0.0, 0.0, 8.0, 8.0)])
    ltrb = ltrb_of(boxes, size, stride)
    assert ltrb.shape == (2, 4, *size)
    torch.testing.assert_close(boxes_of(ltrb, stride), boxes[:, None, None].expand(2, *size, 4), rtol=1e-5, atol=1e-3)


def test_distances_by_hand():
    """A map of 2 x 4 cells of a crop of 64 x 32 px; the cell of row 1, column 2 has its centre at (40, 24)."""
    ltrb = ltrb_of(torch.tensor([10.0, 20, 45, 6]), (2, 4))
    expected = [(40 - 10) / 64, (24 - 20) / 32, (55 - 40) / 64, (26 - 24) / 32]
    assert ltrb[:, 1, 2].tolist() == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(box=BOX)
def test_positive_within_the_box_and_only_there(box):
    boxes = torch.tensor(box, dtype=torch.float64)
    centres = cell_centres((18, 18), boxes)
    inside = ((centres > boxes[:2]) & (centres < boxes[:2] + boxes[2:])).all(dim=-1)
    assert torch.equal((ltrb_of(boxes, (18, 18)) > 0).all(dim=0), inside)


def test_a_box_that_moves_by_cells_takes_its_maps_along():
    """One cell down, three to the right: distances and label alike."""
    box, moved = torch.tensor([[60.0, 90, 50, 40]]), torch.tensor([[108.0, 106, 50, 40]])
    for encode in (lambda b: ltrb_of(b, (18, 18))[0], lambda b: gaussian_label_function(b, 0.05, 1, 18, 288)):
        before, after = encode(box), encode(moved)
        torch.testing.assert_close(after[..., 1:, 3:], before[..., :-1, :-3], rtol=1e-4, atol=1e-5)
        assert not torch.allclose(after, before, atol=1e-2)


def test_the_label_peaks_where_distances_are_balanced():
    """Label and distances count cells in the same way."""
    box = torch.tensor([[100.0, 60, 40, 40]])  # centre (120, 80): on the edge of cells 6 | 7 and 4 | 5
    label, ltrb = gaussian_label_function(box, 0.05, 1, 18, 288)[0], ltrb_of(box, (18, 18))[0]
    assert label[4:6, 7].tolist() == pytest.approx([label.max().item()] * 2)
    assert ltrb[1, 4, 7].item() == pytest.approx(ltrb[3, 5, 7].item()) and ltrb[0, 5, 7] == ltrb[2, 5, 7]


class TestGIoULoss:
    def test_against_torchvision(self):
        """Mean over the cells whose label is 0.05 or more, of boxes here and there and of some far away."""
        boxes = torch.cat((80 * random(2, 3, 4, 2), 5 + 60 * random(2, 3, 4, 2, seed=1)), dim=-1)
        target = torch.tensor([[20.0, 30, 40, 20], [50, 5, 10, 30]])
        label = random(2, 3, 4, seed=2)
        label[label < 0.5] = 0.049
        losses = []
        for row in range(2):
            giou = generalized_box_iou(box_convert(boxes[row].flatten(0, 1), 'xywh', 'xyxy'),
                                       box_convert(target[row:row + 1], 'xywh', 'xyxy'))[:, 0]
            losses += (1 - giou)[label[row].flatten() >= 0.05].tolist()
        assert 3 < len(losses) < 24
        assert GIoULoss()(boxes, target, label).item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)

    @pytest.mark.parametrize(('box', 'loss'), [
        ((10.0, 10, 20, 20), 0.0),
        ((20.0, 10, 20, 20), 1 - (200 / 600)),               # half over: hull 30 x 20 = union
        ((50.0, 10, 20, 20), 1 + (60 * 20 - 800) / 1200),    # apart: minus the empty share of the hull
    ])
    def test_by_hand(self, box, loss):
        found = GIoULoss()(torch.tensor(box).view(1, 1, 1, 4), torch.tensor([[10.0, 10, 20, 20]]), torch.ones(1, 1, 1))
        assert found.item() == pytest.approx(loss, abs=1e-5)

    def test_gradient_comes_from_the_counted_cells_alone(self):
        boxes = (10 + 20 * random(1, 2, 2, 4)).requires_grad_(True)
        label = torch.tensor([[[1.0, 0.04], [0.06, 0.0]]])
        GIoULoss()(boxes, torch.tensor([[0.0, 0, 30, 30]]), label).backward()
        assert torch.equal(boxes.grad.abs().sum(dim=-1) > 0, label > 0.05)

    def test_without_a_target_in_the_crop(self):
        boxes = random(1, 2, 2, 4).requires_grad_(True)
        loss = GIoULoss()(boxes, torch.tensor([[900.0, 0, 30, 30]]), torch.zeros(1, 2, 2))
        loss.backward()
        assert loss == 0 and not boxes.grad.any()

    def test_it_falls_on_the_way_to_the_target(self):
        """Also where boxes do not meet."""
        target = torch.tensor([[40.0, 40, 20, 20]])
        losses = [GIoULoss()(torch.tensor([[[[x, 40.0, 20, 20]]]]), target, torch.ones(1, 1, 1)).item()
                  for x in (-200, -60, 0, 25, 35, 40)]
        assert losses == sorted(losses, reverse=True) and losses[0] < 2 and losses[-1] == pytest.approx(0, abs=1e-5)


class TestRegressor:
    def test_untrained_boxes_are_as_large_as_targets_are(self):
        torch.manual_seed(0)
        ltrb = DenseBoxRegressor(16, 1)(torch.randn(2, 16, 9, 9), torch.randn(2, 16))
        assert ltrb.shape == (2, 4, 9, 9) and (ltrb > 0).all()
        assert ltrb.median().item() == pytest.approx(0.1, rel=0.1)

    def test_the_filter_decides_what_is_seen(self):
        """A cell at which the filter answers nothing tells nothing: features that it is blind to may be anything."""
        torch.manual_seed(0)
        net, weights, feat = DenseBoxRegressor(8, 1), torch.zeros(1, 8), torch.randn(1, 8, 5, 5)
        weights[0, 0] = 1
        feat[0, 0] = 0
        feat[0, 0, 2, 2] = 1
        other = torch.where(feat[:, :1] == 0, torch.randn_like(feat), feat)
        other[0, 0] = feat[0, 0]
        torch.testing.assert_close(net(feat, weights), net(other, weights))
        other[0, 1, 2, 2] += 3
        assert not torch.allclose(net(feat, weights), net(other, weights))
