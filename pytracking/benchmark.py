"""Speed of tracking in units that mean something on any machine: `python -m pytracking.benchmark`.

The unit is one forward pass of torchvision's own ResNet up to layer3, eager float32, on one 288 px crop, with the same
threads, in the same run and in turn with the tracked frames. Weights are random: the time does not depend on them once
the decisions that do are fixed (every frame counts as found and normal, so each is refined and stored, and the filter
is updated every 20th frame, as in easy video).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torchvision
from torch import nn

from ltr.admin.device import pick_device
from ltr.admin.errors import cli
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet18, dimpnet50
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.dimp import DiMP
from pytracking.tracker.dimp.defaults import dimp_params

NETWORKS: dict[str, tuple[Callable[..., nn.Module], str]] = {'dimp50': (dimpnet50, 'resnet50'),
                                                             'dimp18': (dimpnet18, 'resnet18')}


def tracking(name: str, frames: int, device: torch.device, warm_up: int = 5) -> dict[str, float]:
    """Time tracked frames and units in turn.

    Args:
        name: `dimp50` or `dimp18`.
        frames: number of frames, after `warm_up` that do not count.
        device: where both run.

    Returns:
        `unit_ms`, `frame_ms`, `median_frame_ms`, `initialise_ms`, and `ratio`, `median_ratio` of frame to unit.
    """
    constructor, backbone = NETWORKS[name]
    unit = _unit(backbone, device)
    tracker = _tracker(constructor(backbone_pretrained=False, **STOCK_OPTIONS), device)
    images = _video(warm_up + frames)
    box = [300.0, 220.0, 60.0, 70.0]
    initialise = _timed(lambda: tracker.initialize(images[0], {'init_bbox': box}), device)
    frame_times, unit_times = [], []
    for number in range(warm_up + frames):
        frame = _timed(lambda image=images[number]: tracker.track(image), device)  # type: ignore[misc]
        one = _timed(unit, device)
        if number >= warm_up:
            frame_times.append(frame)
            unit_times.append(one)
    mean_unit, median_unit = float(np.mean(unit_times)), float(np.median(unit_times))
    mean, median = float(np.mean(frame_times)), float(np.median(frame_times))
    return {'unit_ms': 1e3 * mean_unit, 'frame_ms': 1e3 * mean, 'median_frame_ms': 1e3 * median,
            'initialise_ms': 1e3 * initialise, 'ratio': mean / mean_unit, 'median_ratio': median / median_unit}


def _unit(backbone: str, device: torch.device) -> Callable[[], Any]:
    net = getattr(torchvision.models, backbone)(weights=None).to(device).eval()
    crop = torch.randn(1, 3, 288, 288, device=device)

    @torch.no_grad()
    def forward() -> torch.Tensor:
        x = net.maxpool(net.relu(net.bn1(net.conv1(crop))))
        return net.layer3(net.layer2(net.layer1(x)))
    return forward


def _tracker(net: nn.Module, device: torch.device) -> DiMP:
    params = dimp_params()
    params.target_not_found_threshold = -math.inf
    params.distractor_threshold = params.hard_negative_threshold = math.inf
    params.net = NetWithBackbone(net, device=device)
    return DiMP(params)


def _video(length: int) -> list[np.ndarray]:
    """Noise that drifts by a pixel a frame, (480, 640, 3) uint8."""
    rng = np.random.default_rng(0)
    canvas = rng.integers(0, 255, (480, 640 + length, 3), dtype=np.uint8)
    return [np.ascontiguousarray(canvas[:, i:i + 640]) for i in range(length)]


def _timed(action: Callable[[], Any], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    action()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    elif device.type == 'mps':
        torch.mps.synchronize()


def main(argv: list[str] | None = None) -> int:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description='Tracking time a frame over the time of one backbone forward.')
    parser.add_argument('--net', choices=NETWORKS, action='append', help='network; may be repeated (default: dimp50)')
    parser.add_argument('--frames', type=int, default=60, help='frames to time (default 60: three updates)')
    parser.add_argument('--device', default='auto')
    parser.add_argument('--threads', type=int, help='torch threads')
    parser.add_argument('--json', action=argparse.BooleanOptionalAction, default=False, help='print JSON')
    options = parser.parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = pick_device(options.device)
    results = {name: tracking(name, options.frames, device) for name in options.net or ['dimp50']}
    if options.json:
        print(json.dumps({'device': str(device), 'torch': torch.__version__, 'threads': torch.get_num_threads(),
                          **results}, indent=2))
        return 0
    print(f'torch {torch.__version__} on {device}, {torch.get_num_threads()} threads; unit: torchvision ResNet to '
          'layer3, eager float32, one 288 px crop')
    for name, figures in results.items():
        print(f'{name}: unit {figures["unit_ms"]:.1f} ms, frame {figures["frame_ms"]:.1f} ms (median '
              f'{figures["median_frame_ms"]:.1f}), first frame {figures["initialise_ms"]:.0f} ms; frame / unit: '
              f'mean {figures["ratio"]:.2f}, median {figures["median_ratio"]:.2f}')
    return 0


if __name__ == '__main__':
    cli(main)
