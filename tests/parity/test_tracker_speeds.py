"""Every preset of speed gives the golden boxes: numerical parity is the key requirement."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.prepared import InHalf
from pytracking.features.speed import PRESETS, on_device
from pytracking.tracker.dimp import DiMP
from tests.parity.named_weights import stock_dimp
from tests.parity.test_tracker_dimp import frames, golden_params


@pytest.fixture(scope='module')
def dimp18() -> nn.Module:
    return stock_dimp('dimp18')


@pytest.fixture(scope='module')
def boxes_of(golden, dimp18):
    """`boxes_of(speed, length)`: the first frames of the golden sequence, tracked."""
    def track(speed, length: int) -> np.ndarray:
        params, numbers = golden_params(), golden('tracker_dimp18')
        params.net = NetWithBackbone(dimp18, speed=speed)
        tracker, images = DiMP(params), frames(golden)[:1 + length]
        tracker.initialize(images[0], {'init_bbox': numbers['init_box'].tolist()})
        return np.array([tracker.track(image)['target_bbox'] for image in images[1:]])
    return track


@pytest.mark.parametrize('length', [3, pytest.param(11, marks=pytest.mark.slow)])
@pytest.mark.parametrize('name', ['plain', 'exact', 'fast'])
def test_golden_boxes(golden, boxes_of, name, length):
    """With the numbers that a preset has on CUDA: float16 also works on the CPU, slowly."""
    expected = golden('tracker_dimp18')['boxes'][:length]
    limit = 0.5 if PRESETS[name].half else 0.05
    np.testing.assert_allclose(boxes_of(PRESETS[name], length), expected, atol=limit)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='CUDA graphs need a GPU')
def test_golden_boxes_of_graphs(golden, boxes_of):
    np.testing.assert_allclose(boxes_of('graph', 11), golden('tracker_dimp18')['boxes'], atol=0.5)


def test_what_is_half(dimp18):
    """Convolutions that every frame passes through; nothing that learns from the first frame, no norm of a map."""
    net = NetWithBackbone(dimp18, use_gpu=False, speed=PRESETS['fast']).net
    halves = {name for name, module in net.named_modules() if isinstance(module, InHalf)}
    assert halves == {'feature_extractor', 'classifier.feature_extractor.0', 'classifier.feature_extractor.1',
                      *(f'bb_regressor.conv{level}_{step}t.0' for level in (3, 4) for step in (1, 2))}
    kept = {name for name, value in net.named_parameters() if value.dtype == torch.float32}
    assert {'classifier.filter_optimizer.filter_reg', 'bb_regressor.fc3_rt.linear.weight',
            'bb_regressor.conv3_1r.0.weight'} <= kept
    assert all(value.dtype == torch.float16 for name, value in net.named_parameters()
               if name.startswith('feature_extractor'))


def test_on_devices():
    exact = on_device(PRESETS['exact'], 'cpu')
    assert exact.windows and not exact.half
    fast = on_device(PRESETS['fast'], 'cpu')
    assert (fast.half, fast.windows, fast.folded) == (False, True, True), 'as exact'
    assert not on_device(PRESETS['plain'], 'cpu').windows
    for name, speed in PRESETS.items():
        assert on_device(speed, 'cuda') is speed and speed.name == name
