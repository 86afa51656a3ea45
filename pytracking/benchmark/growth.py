"""Growth of the cost of tracking, evaluation and training: `python -m pytracking.benchmark --growth`.

Networks are small and the times those of one thread: what grows is the same for large ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ltr.models.tracking.dimpnet import dimpnet_small
from ltr.train_settings.dimp.dimp_small import RECIPE
from pytracking.analysis.evaluate import evaluate
from pytracking.benchmark.series import Series, timed
from pytracking.benchmark.training import training_step
from pytracking.evaluation.data import Sequence
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.dimp.dimp_small import parameters
from pytracking.tracker.dimp import DiMP

FRAMES = 4


def tracking_series() -> list[Series]:
    """Of tracking: by size of frame and crop, by boxes, by size of the memory, by length."""
    return [
        timed('a frame', 'px of the image', [width * width * 3 // 4 for width in (320, 640, 1280, 2560, 3840)],
              lambda pixels: _tracking(image=pixels)),
        timed('a frame', 'px of the crop', [side ** 2 for side in (96, 144, 192, 288, 384)],
              lambda pixels: _tracking(image_sample_size=math.isqrt(pixels))),
        timed('a frame', 'boxes to refine', (10, 20, 40, 80, 160),
              lambda boxes: _tracking(num_init_random_boxes=boxes - 1)),
        timed('a frame with an update', 'samples in memory', (25, 50, 100, 200, 400), _updating),
        timed('a whole sequence', 'frames', (25, 50, 100, 200), lambda frames: _tracking(frames))]


def evaluation_series() -> list[Series]:
    """Of evaluation: by number and by length of sequences."""
    return [timed('evaluation', 'sequences', (30, 100, 300, 1000, 3000), lambda count: _evaluation(count, 100)),
            timed('evaluation', 'frames a sequence', (100, 1000, 10_000, 100_000), lambda long: _evaluation(10, long))]


def training_series() -> list[Series]:
    """Of a training step of DiMP: by batch, proposals and size of crops."""
    return [timed('a training step', 'sequences a batch', (2, 4, 8, 16), lambda rows: training_step(RECIPE, rows)[0]),
            timed('a training step', 'proposals a frame', (8, 32, 128, 512),
                  lambda count: training_step(replace(RECIPE, proposals=count), 2)[0]),
            timed('a training step', 'px of the crop', [side ** 2 for side in (96, 144, 192, 288)],
                  lambda pixels: training_step(replace(RECIPE, output_sz=math.isqrt(pixels)), 2)[0])]


def growth() -> list[Series]:
    """All of them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [*tracking_series(), *evaluation_series(), *training_series()]
    finally:
        torch.set_num_threads(threads)


def _tracker(image: int = 640 * 480, **changes: Any) -> tuple[DiMP, np.ndarray]:
    """A tracker on a first frame of noise; every frame counts as found, and boxes move little."""
    torch.manual_seed(0)
    net = dimpnet_small().eval()
    net.bb_regressor.iou_predictor.weight.data *= 0.1
    params = parameters()
    params.target_not_found_threshold = -math.inf
    params.distractor_threshold = params.hard_negative_threshold = math.inf
    params.net = NetWithBackbone(net, device=torch.device('cpu'))
    for name, value in changes.items():
        setattr(params, name, value)
    height = math.isqrt(image * 3 // 4)
    frame = np.random.default_rng(0).integers(0, 255, (height, image // height, 3), dtype=np.uint8)
    tracker = DiMP(params)
    tracker.initialize(frame, {'init_bbox': [frame.shape[1] / 2, height / 2, 60.0, 70.0]})
    return tracker, frame


def _tracking(frames: int = FRAMES, image: int = 640 * 480, **changes: Any) -> Callable[[], Any]:
    tracker, frame = _tracker(image, **changes)
    return lambda: [tracker.track(frame) for _ in range(frames)]


def _updating(samples: int) -> Callable[[], Any]:
    """A frame after which the filter is optimised on a full memory."""
    tracker, frame = _tracker(sample_memory_size=samples, train_skipping=10 ** 9)
    features, boxes, _ = tracker.memory.samples()
    while tracker.memory.stored < samples:
        tracker.memory.insert(features[:1], boxes[0], 0.01)
    tracker.params.train_skipping = 1
    return lambda: tracker.track(frame)


def _evaluation(count: int, frames: int) -> Callable[[], Any]:
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.uniform(1, 500, (frames, 2)), rng.uniform(8, 90, (frames, 2))], axis=1)
    sequences = [Sequence(f'{number:04d}', [''] * frames, 'made up', boxes) for number in range(count)]
    predictions = {sequence.name: boxes + 3 for sequence in sequences}
    return lambda: evaluate(predictions, sequences, 'lsotb')
