"""The ToMP tracker: with a network set by hand, which sees a bright rectangle."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ltr.admin import plugins
from ltr.admin.errors import UserError
from ltr.data.labels import gaussian_label_function
from ltr.models.bbreg.ltrb import ltrb_of
from ltr.models.transformer.target_model import Prediction
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.tomp import ToMP
from pytracking.tracker.tomp.defaults import tomp_params

SIDE, CELLS = 144, 9


class Head(nn.Module):
    """Scores are a label at the bright rectangle of the test frame, and every cell tells its box.

    Attributes:
        factor: of the scores.
        asked: reference frames of every call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.factor = 1.0
        self.asked: list[Tensor] = []

    def encode_reference(self, feat: Tensor, boxes: Tensor) -> Tensor:
        """The box instead of features: what the tracker keeps can be read."""
        return boxes[:, :, None, None].expand(-1, -1, CELLS, CELLS)

    def encode_test(self, feat: Tensor) -> Tensor:
        return feat

    def query(self, sequences: int) -> Tensor:
        return torch.zeros(sequences, 4)

    def predict(self, reference: Tensor, test: Tensor, query: Tensor) -> Prediction:
        self.asked.append(reference)
        image = functional.pixel_shuffle(test[:1], 16)[0, 0]
        if not (image > 0.8).any():
            box = torch.tensor([[0.0, 0, 1, 1]])
            return Prediction(torch.zeros(1, CELLS, CELLS), ltrb_of(box, (CELLS, CELLS)), query, query)
        rows, columns = (torch.nonzero((image > 0.8).any(dim=axis))[:, 0] for axis in (1, 0))
        box = torch.stack((columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]))[None].float()
        label = gaussian_label_function(box, 0.1, 1, CELLS, SIDE)
        scores = self.factor * label / label.max()
        ltrb = ltrb_of(box, (CELLS, CELLS))
        # Whoever sees two frames gives better scores, and boxes without a size.
        return Prediction(scores if len(reference) > 1 else 0.95 * scores, ltrb * (len(reference) == 1), query, query)


class ByHand(nn.Module):
    """Features are the pixels of every cell, of one channel."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Head()

    def extract_backbone_features(self, image: Tensor) -> OrderedDict[str, Tensor]:
        return OrderedDict(layer3=functional.pixel_unshuffle(image[:, :1], 16))

    def extract_head_feat(self, feat: OrderedDict[str, Tensor]) -> Tensor:
        return feat['layer3']


def tracker_of(net: nn.Module, **changes) -> ToMP:
    params = tomp_params(SIDE)
    for name, value in changes.items():
        setattr(params, name, value)
    by_hand = {'mean': (0, 0, 0), 'std': (1, 1, 1)} if isinstance(net, ByHand) else {}
    params.net = NetWithBackbone(net, use_gpu=False, **by_hand)
    return ToMP(params)


def film(boxes: list[tuple[int, int, int, int]], size: tuple[int, int] = (240, 320)) -> list[np.ndarray]:
    images = []
    for x, y, w, h in boxes:
        image = np.full((*size, 3), 60, dtype=np.uint8)
        image[y:y + h, x:x + w] = 255
        images.append(image)
    return images


WAY = [(100 + 7 * i, 90 + 4 * i, 30 + i, 40 - i) for i in range(14)]


@pytest.fixture
def head() -> tuple[ToMP, Head]:
    tracker = tracker_of(ByHand())
    tracker.initialize(film(WAY[:1])[0], {'init_bbox': WAY[0]})
    return tracker, tracker.net.head


def test_a_rectangle_that_moves_and_changes_is_followed(head):
    """To a pixel of the crop, which is about as large as one of the image."""
    tracker, _ = head
    for image, box in zip(film(WAY[1:]), WAY[1:], strict=True):
        found = tracker.track(image)
        assert np.abs(np.array(found['target_bbox']) - box).max() < 2, box
        assert found['flag'] == 'normal' and found['score_map'].shape == (CELLS, CELLS)
    drift = np.array(found['target_bbox'])[:2] - WAY[-1][:2]
    assert np.abs(drift).max() < 2, 'errors do not add up'


def test_the_memory_is_the_first_frame_and_the_last_that_was_sure(head):
    tracker, net = head
    images = film(WAY)
    tracker.track(images[1])
    assert [len(reference) for reference in net.asked] == [1], 'one model while there is one frame'
    first = net.asked[0][0]
    kept = tracker.recent.clone()
    net.factor = 0.8  # found, but not above 0.9
    tracker.track(images[2])
    assert torch.equal(tracker.recent, kept)
    net.factor = 1.0
    tracker.track(images[3])
    assert not torch.equal(tracker.recent, kept)
    (alone,), (one, other) = net.asked[1:3]
    assert torch.equal(alone, first) and torch.equal(one, first) and torch.equal(other, kept)


def test_scores_come_from_both_frames_and_boxes_from_the_first_alone(head):
    tracker, _ = head
    images = film(WAY)
    assert tracker.track(images[1])['confidence'] == pytest.approx(0.95)
    found = tracker.track(images[2])
    assert found['confidence'] == pytest.approx(1) and np.abs(np.array(found['target_bbox']) - WAY[2]).max() < 2


def test_what_is_kept_is_the_box_where_it_was_found(head):
    tracker, _ = head
    tracker.track(film(WAY)[1])
    box = tracker.recent[0, :, 0, 0].numpy()
    assert np.abs(box[:2] + box[2:] / 2 - SIDE / 2).max() < 16, 'near the crop\'s middle'
    assert (box[2:] * tracker.target_scale).tolist() == pytest.approx(WAY[1][2:], abs=2)


def test_a_target_that_is_gone_leaves_the_box(head):
    tracker, _ = head
    before = tracker.track(film(WAY)[1])['target_bbox']
    kept = tracker.recent
    found = tracker.track(np.full((240, 320, 3), 60, dtype=np.uint8))
    assert found['flag'] == 'not_found' and found['target_bbox'] == before and tracker.recent is kept


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_boxes_that_are_no_numbers_leave_the_box(head, monkeypatch, value):
    tracker, net = head
    before = tracker.track(film(WAY)[1])['target_bbox']
    predict = net.predict

    def broken(*args):
        found = predict(*args)
        return found._replace(ltrb=found.ltrb * value)
    monkeypatch.setattr(net, 'predict', broken)
    assert tracker.track(film(WAY)[2])['target_bbox'] == before


def test_parameters_of_dimp_that_mean_nothing_here_are_refused():
    with pytest.raises(UserError, match='the tracker tomp does not know the parameters scale_factors, use_iou_net'):
        tracker_of(ByHand(), use_iou_net=True, scale_factors=[1.0, 1.02])


def test_crops_are_whole_cells():
    tracker = tracker_of(ByHand(), image_sample_size=150)
    with pytest.raises(UserError, match='image_sample_size must be a multiple of 16, not 150'):
        tracker.initialize(film(WAY[:1])[0], {'init_bbox': WAY[0]})


@pytest.mark.parametrize(('name', 'size'), [('tomp50', 288), ('tomp18', 288), ('tomp_small', 144)])
def test_parameter_files(name, size):
    module = __import__(f'{plugins.load("pytracking.parameters", "tomp").__name__}.{name}', fromlist=['parameters'])
    params = module.parameters()
    assert params.image_sample_size == size and params.memory_threshold == 0.9
    assert params.net.net_path == f'{name}.pth.tar'
    assert plugins.load('pytracking.trackers', 'tomp')() is ToMP
