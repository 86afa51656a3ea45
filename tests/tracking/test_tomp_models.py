"""The ToMP tracker with a small real network: two models a frame, targets in company, and one that has learned."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from ltr import run_training
from ltr.admin.loading import load_network
from ltr.data.proposals import overlap
from ltr.models.tracking.tompnet import tompnet_small
from pytracking.tracker.base.steps import advance
from pytracking.tracker.tomp import ToMP
from tests.tracking.test_tomp_tracker import WAY, film, tracker_of


@pytest.fixture(scope='module')
def real() -> nn.Module:
    torch.manual_seed(0)
    return tompnet_small(channels=16, heads=2, encoder_layers=1, decoder_layers=1, feedforward=32, tower_layers=1)


def test_scores_are_of_both_frames_and_boxes_of_the_first(real):
    tracker = tracker_of(real)
    images = film(WAY)
    tracker.initialize(images[0], {'init_bbox': WAY[0]})
    with torch.no_grad():
        backbone, (sample,) = tracker._extract(images[1])
        features = tracker._features(backbone)
        tracker.recent = tracker._encoded(features + 1, sample)
        scores = tracker._scores(features)
        head, test = tracker.net.head, tracker.net.head.encode_test(features)
        both = head.predict(torch.stack((tracker.first, tracker.recent)), test, head.query(1))
        alone = head.predict(tracker.first[None], test, head.query(1))
    np.testing.assert_allclose(scores, both.scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tracker.boxes, alone.boxes[0], rtol=1e-4, atol=1e-3)
    assert np.abs(scores - alone.scores.numpy()).max() > 1e-3


def test_targets_in_company_are_tracked_as_alone(real):
    """Trackers with one network advance together."""
    starts = [WAY[0], (60, 60, 40, 30)]
    images = film(WAY[:3])

    def trackers() -> list[ToMP]:
        made = [tracker_of(real, target_not_found_threshold=-1e9, memory_threshold=-1e9) for _ in starts]
        for tracker, box in zip(made, starts, strict=True):
            tracker.initialize(images[0], {'init_bbox': box})
        return made
    alone, together = trackers(), trackers()
    for image in images[1:]:
        expected = [tracker.track(image)['target_bbox'] for tracker in alone]
        found = [outcome['target_bbox'] for outcome in advance([tracker.steps(image) for tracker in together])]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=0.05)


def bouncing(rng: np.random.Generator, length: int) -> list[tuple[np.ndarray, tuple[int, ...]]]:
    """A bright rectangle that moves to and fro and slowly changes its size, over a ground of blotches and noise."""
    place, speed, size = rng.uniform(60, 180, 2), rng.uniform(-5, 5, 2), rng.uniform(24, 40, 2)
    ground = cv2.resize(rng.integers(0, 140, (12, 16, 3), dtype=np.uint8), (320, 240))
    frames = []
    for _ in range(length):
        place, size = place + speed, size * np.exp(rng.normal(0, 0.01, 2))
        speed = np.where((place < 20) | (place > 180), -speed, speed)
        x, y, w, h = box = tuple(round(float(value)) for value in (*place, *size))
        image = ground + rng.integers(0, 30, ground.shape, dtype=np.uint8)
        image[y:y + h, x:x + w] = (230, 200, 120)
        frames.append((image, box))
    return frames


@pytest.mark.slow
def test_what_has_learned_for_a_minute_tracks(tmp_path):
    """200 steps from random weights on four such videos; then three others, far better than a box that stays."""
    rng = np.random.default_rng(0)
    for index in range(4):
        folder = tmp_path / 'videos' / f'{index}'
        (folder / 'img').mkdir(parents=True)
        frames = bouncing(rng, 24)
        for number, (image, _) in enumerate(frames, 1):
            cv2.imwrite(str(folder / 'img' / f'{number:04d}.png'), image[:, :, ::-1])
        (folder / 'groundtruth_rect.txt').write_text('\n'.join(','.join(map(str, box)) for _, box in frames) + '\n')
    run_training.main(['tomp', 'tomp_small', '--data', str(tmp_path / 'videos'), '--epochs', '20', '--samples', '60',
                       '--batch', '6', '--workers', '0', '--device', 'cpu', '--workspace', str(tmp_path / 'w')])
    net, _ = load_network(tmp_path / 'w/checkpoints/ltr/tomp/tomp_small')
    for seed in (100, 101, 102):
        (image, start), *rest = bouncing(np.random.default_rng(seed), 20)
        tracker = tracker_of(net)
        tracker.initialize(image, {'init_bbox': start})
        found = [overlap(tuple(tracker.track(image)['target_bbox']), box) for image, box in rest]
        stays = [overlap(start, box) for _, box in rest]
        assert np.mean(found) > 0.6 > 0.3 > np.mean(stays) and min(found) > 0.5
        assert tracker.recent is not None, 'it was sure'
