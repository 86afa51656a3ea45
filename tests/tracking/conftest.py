"""Small networks with random weights, and videos of a square that moves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from ltr.models.tracking.dimpnet import dimpnet_small
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.dimp.dimp_small import parameters
from pytracking.tracker.common.online import OnlineTracker
from pytracking.tracker.dimp import DiMP
from pytracking.utils.params import TrackerParams


def small_net() -> nn.Module:
    """DiMP for crops of 144 px; with less ambition than its IoU predictor starts with, boxes move little."""
    torch.manual_seed(0)
    net = dimpnet_small().eval()
    net.bb_regressor.iou_predictor.weight.data *= 0.1
    return net


def video(length: int, seed: int = 0, step: int = 3) -> tuple[list[np.ndarray], np.ndarray]:
    """A chequered square of 24 px that moves over a noisy, darker ground of 160 x 120 px; frames and boxes."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(0, 120, (120, 160, 3), dtype=np.uint8)
    square = np.kron(rng.integers(0, 2, (6, 6, 3)), np.ones((4, 4, 1))).astype(np.uint8) * 135 + 120
    boxes = np.array([[30 + step * i, 40 + (3 * seed) % 20 + i, 24, 24] for i in range(length)], dtype=float)
    frames = []
    for x, y, w, h in boxes.astype(int):
        frames.append(ground.copy())
        frames[-1][y:y + h, x:x + w] = square
    return frames, boxes


def small_tracker(net: NetWithBackbone, kind: type[OnlineTracker] = DiMP, params: TrackerParams | None = None,
                  **changes: object) -> OnlineTracker:
    """A tracker that learns from one crop and takes every frame for a good one, unless `changes` say otherwise."""
    params = params or parameters()
    options = {'target_not_found_threshold': -1e9, 'num_init_random_boxes': 4, 'use_augmentation': False, **changes}
    for name, value in options.items():
        setattr(params, name, value)
    params.net = net
    return kind(params)


@pytest.fixture(scope='session')
def wrapped() -> Callable[..., NetWithBackbone]:
    """`wrapped(net, speed)`: a network on the CPU, prepared once for all tests."""
    made: dict[tuple[int, object], NetWithBackbone] = {}
    nets = {'dimp': small_net()}

    def wrap(net: nn.Module | str = 'dimp', speed: object = 'exact') -> NetWithBackbone:
        net = nets[net] if isinstance(net, str) else net
        key = id(net), speed
        made.setdefault(key, NetWithBackbone(net, use_gpu=False, speed=speed))
        return made[key]
    return wrap
