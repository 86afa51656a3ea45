"""Numerical parity with the stock toolkit is the key requirement: crops, and a whole tracked sequence."""

from __future__ import annotations

import numpy as np
import pytest

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.preprocessing import sample_patch
from pytracking.tracker.dimp import DiMP
from pytracking.tracker.dimp.defaults import dimp_params
from pytracking.utils.params import TrackerParams
from tests.parity.named_weights import stock_dimp


def frames(golden) -> list[np.ndarray]:
    sequence = golden('sequence')
    made = []
    for x, y in sequence['boxes'][:, :2]:
        image = sequence['background'].copy()
        image[y:y + 48, x:x + 40] = sequence['target']
        made.append(image)
    return made


@pytest.mark.parametrize('case', ['0', '1', '2', '3'])
def test_sample_patch(golden, case):
    numbers = {key[2:]: value for key, value in golden('sample_patch').items() if key.startswith(case + '/')}
    args, mode = numbers['args'], str(numbers['mode'])
    patch, coords = sample_patch(frames(golden)[0], args[:2], args[2:4], args[4:], mode,
                                 1.5 if mode == 'inside_major' else None)
    np.testing.assert_allclose(coords, numbers['coords'][0], atol=1e-3)
    np.testing.assert_allclose(patch[0, :, ::8, ::8], numbers['patch'], atol=1e-3)


def golden_params() -> TrackerParams:
    """DiMP's, without anything random, as the golden sequence was tracked with."""
    params = dimp_params()
    params.use_augmentation = False
    params.random_shift_factor = 0
    params.num_init_random_boxes = 0
    params.target_not_found_threshold = -1
    params.train_skipping = 4
    return params


def test_tracked_sequence(golden):
    numbers = golden('tracker_dimp18')
    params = golden_params()
    params.net = NetWithBackbone(stock_dimp('dimp18'), use_gpu=False)
    tracker = DiMP(params)
    images = frames(golden)
    tracker.initialize(images[0], {'init_bbox': numbers['init_box'].tolist()})
    outputs = [tracker.track(image) for image in images[1:]]
    np.testing.assert_allclose([o['target_bbox'] for o in outputs], numbers['boxes'], atol=0.05)
    np.testing.assert_allclose([o['confidence'] for o in outputs], numbers['max_score'], rtol=2e-3, atol=2e-4)
    assert [o['flag'] for o in outputs] == numbers['flag'].tolist()
