"""Presets of speed on generated thermal sequences, with a network that has learned to track."""

from __future__ import annotations

import numpy as np
import pytest

from cmd_plugin.world import write_video
from ltr.data.image_loader import read_image
from ltr.run_training import run_training
from pytracking.analysis import evaluate
from pytracking.evaluation import get_dataset
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.speed import PRESETS, Speed
from pytracking.parameter.dimp.dimp_small import parameters
from pytracking.tracker.dimp import DiMP

SEQUENCES, LENGTH = 4, 20


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    """Half a minute's training: its filters and boxes react to what is there, but it is no good tracker."""
    folder = tmp_path_factory.mktemp('learned')
    video = write_video(folder / 'rgb', 'rgb', sequences=24, length=20, progress=False)
    run_training('dimp', 'dimp_small', data=[video], workspace=folder, seed=0, epochs=2, samples=600, workers=0)
    return max((folder / 'checkpoints' / 'ltr' / 'dimp' / 'dimp_small').glob('*_ep????.pth.tar'))


@pytest.fixture(scope='module')
def sequences(tmp_path_factory):
    root = write_video(tmp_path_factory.mktemp('world') / 'tir', 'tir', sequences=SEQUENCES, length=LENGTH,
                       progress=False, split='test')
    return get_dataset('folder', root=root)


@pytest.fixture(scope='module')
def boxes_of(network, sequences):
    """`boxes_of(speed)`: sequence name -> boxes."""
    def track(speed: str | Speed) -> dict[str, np.ndarray]:
        net, found = NetWithBackbone(network, use_gpu=False, speed=speed), {}
        for sequence in sequences:
            params = parameters()
            params.net, params.target_not_found_threshold = net, -1
            tracker, (first, *frames) = DiMP(params), map(read_image, sequence.frames)
            tracker.initialize(first, sequence.init_info())
            boxes = [tracker.track(frame)['target_bbox'] for frame in frames]
            found[sequence.name] = np.array([sequence.init_info()['init_bbox'], *boxes])
        return found
    return track


@pytest.mark.slow
def test_boxes_and_success_are_those_of_plain(boxes_of, sequences):
    """On the device at hand, and with the numbers of a GPU.

    So little training leaves frames in which two places score alike. There, the rounding of float16 may decide for
    another one, and few sequences are too few for an average: so its boxes are counted, and Success is compared for
    the presets in float32.
    """
    def success(boxes: dict[str, np.ndarray]) -> float:
        return 100 * evaluate(boxes, sequences, 'lsotb').figure('success')

    plain = boxes_of('plain')
    assert all(np.abs(np.diff(boxes, axis=0)).mean() > 0.1 for boxes in plain.values()), 'they move'
    for speed in ('exact', PRESETS['exact']):
        assert success(boxes_of(speed)) == pytest.approx(success(plain), abs=0.3), speed
    fast = boxes_of(PRESETS['fast'])
    distances = np.concatenate([np.abs(fast[name] - plain[name]).max(axis=1) for name in plain])
    assert np.mean(distances < 0.5) > 0.75 and np.median(distances) < 0.25
