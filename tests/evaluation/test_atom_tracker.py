"""The ATOM tracker on small pictures: it follows, it learns when it should, it is started by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.models.bbreg.atom import atom_resnet18, atom_small
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.run_tracker import main
from pytracking.tracker.atom import ATOM
from pytracking.tracker.atom.defaults import atom_params
from pytracking.tracker.common.geometry import Sample
from pytracking.tracker.common.localization import Peak
from pytracking.tracker.common.memory import SampleMemory
from pytracking.tracker.common.refinement import ascend
from tests.evaluation.conftest import box_path, write_sequence


def video(length: int, step: int = 3) -> tuple[list[np.ndarray], np.ndarray]:
    """A chequered square of 24 px that moves to the right over a noisy, darker ground; frames and boxes."""
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 120, (120, 160, 3), dtype=np.uint8)
    square = np.kron(rng.integers(0, 2, (6, 6, 3)), np.ones((4, 4, 1))).astype(np.uint8) * 135 + 120
    frames, boxes = [], np.array([[40 + step * i, 50, 24, 24] for i in range(length)], dtype=float)
    for x, y, w, h in boxes.astype(int):
        frames.append(ground.copy())
        frames[-1][y:y + h, x:x + w] = square
    return frames, boxes


def small(network: int = 0, **changes) -> ATOM:
    torch.manual_seed(network)
    params = atom_params(sample_size=144)
    params.output_sigma_factor = 1 / 2
    for name, value in changes.items():
        setattr(params, name, value)
    params.net = NetWithBackbone(atom_small(), use_gpu=False)
    return ATOM(params)


def run(tracker: ATOM, length: int = 4) -> np.ndarray:
    frames, boxes = video(length)
    assert tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()}) == {}
    return np.array([tracker.track(frame)['target_bbox'] for frame in frames[1:]])


@pytest.mark.parametrize('changes', [{}, {'feature_size_odd': False, 'max_image_sample_size': 160 ** 2,
                                          'min_image_sample_size': 160 ** 2},
                                     {'kernel_size': 5}, {'window_output': True},
                                     {'window_output': True, 'perform_hn_without_windowing': True}])
def test_follows_a_target(changes):
    """By the classifier alone, on a random backbone: odd and even maps and filters agree about places."""
    boxes = run(small(use_iou_net=False, **changes), 12)
    assert np.abs(boxes - video(12)[1][1:]).max() < 4


def test_follows_a_size_by_scales():
    """Without an IoU predictor, the best of several scales gives the size: of most random networks, of none alone."""
    same, grown = (np.median([size_after(growth, network) for network in range(9)]) for growth in (1, 2))
    assert 1.5 < grown / same < 2.5 and grown > 1.1


def size_after(growth: int, network: int) -> float:
    """Size over the first one after three frames in which all is `growth` times as large."""
    frames, boxes = video(1)
    tracker = small(network, use_iou_net=False, scale_factors=[0.8, 1.0, 1.25], advanced_localization=False)
    tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    large = np.kron(frames[0], np.ones((growth, growth, 1))).astype(np.uint8)
    tracker.pos *= growth
    for _ in range(3):
        box = tracker.track(large)['target_bbox']
    return float(box[2] / 24)


def test_same_seed_same_boxes():
    first, again, other = (run(small(seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.isfinite(first).all()


def test_first_frame_of_the_stock_parameters():
    tracker = small()
    run(tracker, 1)
    assert tracker.memory.initial == 30 and tracker.memory.features.shape == (250, 64, 9, 9)
    labels = tracker.memory.targets[:30]
    assert labels.shape == (30, 9, 9)
    identity = labels[0]
    assert torch.equal(labels[23:], identity.expand(7, 9, 9))      # dropout copies
    shifted = [labels[i].flatten().argmax().item() for i in range(1, 5)]
    assert len({*shifted, identity.flatten().argmax().item()}) == 5
    assert tracker.memory.weights[:30].tolist() == [1 / 30] * 30


@pytest.mark.parametrize(('box', 'area', 'expected'), [
    ((24, 24), None, (144, 120 / 144)), ((100, 25), None, (144, 250 / 144)),
    ((24, 24), (100 ** 2, 200 ** 2), (112, 1.0)), ((100, 25), (100 ** 2, 200 ** 2), (208, 250 / 200))])
def test_crop_size(box, area, expected):
    """One number of px by default; between bounds the image's own scale is kept."""
    tracker = small()
    if area is not None:
        tracker.params.min_image_sample_size, tracker.params.max_image_sample_size = area
    tracker.target_sz = np.array(box, dtype=float)
    size, scale = tracker._crop_size()
    assert (size[0], scale) == (size[1], scale) == pytest.approx(expected)


@pytest.mark.parametrize(('size', 'side'), [(288, 288), (144, 144), (160, 160)])
def test_crops_are_as_large_as_asked_for(size, side):
    tracker = small()
    tracker.params = atom_params(sample_size=size)
    tracker.target_sz = np.array([31.0, 47.0])
    assert tracker._crop_size()[0].tolist() == [side, side]


class Counting:
    """Stands for the classifier: counts its lessons."""

    kernel = 4

    def __init__(self):
        self.lessons = []

    def learn(self, samples, labels, weights, iterations):
        self.lessons.append((len(samples), iterations))


@pytest.mark.parametrize(('flag', 'frame', 'stored', 'lessons'), [
    ('normal', 11, 1, [(3, 5)]), ('normal', 12, 1, []), ('hard_negative', 12, 1, [(3, 4)]),
    ('uncertain', 11, 0, [(2, 5)]), ('not_found', 11, 0, [(2, 5)]), ('uncertain', 12, 0, [])])
def test_when_it_learns(flag, frame, stored, lessons):
    """On schedule also in frames that are not stored; at once from hard negatives, which weigh more."""
    tracker = small(hard_negative_CG_iter=4)
    tracker.classifier = Counting()
    tracker.memory = SampleMemory(torch.zeros(2, 4, 9, 9), torch.zeros(2, 9, 9), 10, 0.25, keep_first=True)
    tracker.frame_num, tracker.pos = frame, np.array([60.0, 50.0])
    tracker.feature_sz, tracker.base_target_sz = np.array([9, 9]), np.array([28.8, 28.8])
    sample = Sample(np.array([60.0, 50.0]), 1.0, np.array([144.0, 144.0]))
    tracker._update(Peak(np.zeros(2), 0, 1.0, flag), sample, torch.ones(1, 4, 9, 9))
    assert tracker.memory.stored == 2 + stored and tracker.classifier.lessons == lessons
    if stored:
        expected = (0.02 if flag == 'hard_negative' else 0.01)
        assert tracker.memory.weights[2] == pytest.approx(expected / (1 / (1 - expected) + expected))
        assert tracker.memory.targets[2].max() > 0.7  # the target lies between four cells


def test_memory_keeps_the_first_samples_without_a_least_weight():
    def slots(keep_first):
        memory = SampleMemory(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1), 3, None, keep_first)
        return [(memory.insert(torch.ones(1, 1, 1, 1), torch.ones(1), 0.9), memory.previous)[1] for _ in range(5)]
    assert slots(True) == [1, 2, 1, 2, 1]
    assert slots(False) == [1, 2, 1, 2, 0]
    with pytest.raises(UserError, match='3 first samples do not fit a memory of 3'):
        SampleMemory(torch.zeros(3, 1, 1, 1), torch.zeros(3, 1), 3, None, keep_first=True)


def test_steps_of_their_own():
    """A box that overshoots goes back and takes half the step; the other one goes on with its whole step."""
    goal = torch.tensor([0.0, 0.0, 10.0, 10.0])

    def predict(boxes):
        seen.append(boxes[:, 0].tolist())
        return -0.5 * torch.tensor([0.25, 0.01]) * (boxes - goal).square().sum(dim=1)
    seen: list[list[float]] = []
    params = atom_params()
    params.box_refinement_iter, params.box_refinement_step_decay = 5, 0.5
    start = torch.tensor([[8.0, 0, 10, 10], [8.0, 0, 10, 10]])
    ascend(predict, start, params, own_steps=True)
    # Steps of 1 on a slope of 0.25 x times the width 10: x -> -1.5 x. Half of it: x -> -0.25 x.
    assert [x[0] for x in seen] == pytest.approx([8, -12, 8, -2, 0.5])
    assert [x[1] for x in seen] == pytest.approx([8 * 0.9 ** i for i in range(5)])


@pytest.mark.parametrize(('name', 'value'), [('use_image_aspect_ratio', True), ('score_preprocess', 'softmax'),
                                             ('border_mode', 'inside'), ('iounet_augmentation', True)])
def test_parameters_it_does_not_know(name, value):
    with pytest.raises(UserError, match=f'the tracker atom does not know the parameters {name}'):
        small(**{name: value})


def test_a_memory_too_small_for_the_first_frame():
    with pytest.raises(UserError, match='30 first samples do not fit a memory of 20: raise sample_memory_size'):
        run(small(sample_memory_size=20), 1)


@pytest.mark.parametrize(('name', 'file', 'make'), [
    ('atom_small', 'atom_small', atom_small),
    pytest.param('default', 'atom18', atom_resnet18, marks=pytest.mark.slow)])
def test_run_tracker(name, file, make, clean_environment, tmp_path, capsys):
    """By the command line, with a random network under the stock name."""
    write_sequence(tmp_path / 'data' / 'a', box_path(3))
    net = make(backbone_pretrained=False)
    checkpoint.save(clean_environment / 'networks' / f'{file}.pth.tar',
                    {'net': net.state_dict(), 'constructor': net.constructor})
    assert main(['atom', name, '--data', str(tmp_path / 'data'), '--results', str(tmp_path / 'r')]) == 0
    assert f'atom/{name}' in capsys.readouterr().out
    boxes = np.loadtxt(tmp_path / 'r' / 'atom' / name / 'a.txt')
    assert boxes.shape == (3, 4) and np.isfinite(boxes).all() and boxes[0].tolist() == list(box_path(3)[0])


def test_missing_network_is_named(tmp_path):
    write_sequence(tmp_path / 'data' / 'a', box_path(3))
    with pytest.raises(UserError, match=r"network 'atom_small.pth.tar' not found"):
        main(['atom', 'atom_small', '--data', str(tmp_path / 'data')])
