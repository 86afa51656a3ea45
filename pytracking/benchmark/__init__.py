"""Speed of tracking in units that mean something on any machine: `python -m pytracking.benchmark`.

The unit is one forward pass of torchvision's own ResNet up to layer3, eager float32, on one 288 px crop, with the same
threads, in the same run and in turn with the tracked frames. `dimp_small` has no such counterpart: its unit is its own
backbone on one 144 px crop. Weights are random: the time does not depend on them once the decisions that do are fixed.
Every frame counts as found and normal, so each is refined and stored, and the filter is updated every 20th frame, as in
easy video; boxes move little during refinement. Further sections: training, loader, evaluation; `--against DIR`:
ratios to a stock checkout; `--growth`: how cost grows with size (`sections.py`).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torchvision
from torch import nn

from ltr.admin.arguments import number
from ltr.admin.device import pick_device
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet18, dimpnet50, dimpnet_small
from pytracking.benchmark import sections
from pytracking.benchmark.lockstep import add_tracking, lockstep_gain, lockstep_lines, runs
from pytracking.benchmark.parts import Clock, parts_of, timed
from pytracking.benchmark.series import report
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.speed import DEFAULT
from pytracking.parameter.dimp.dimp_small import parameters as small_params
from pytracking.tracker.dimp import DiMP
from pytracking.tracker.dimp.defaults import dimp_params

NETWORKS: dict[str, tuple[Callable[..., nn.Module], str | None, int]] = {
    'dimp50': (dimpnet50, 'resnet50', 288), 'dimp18': (dimpnet18, 'resnet18', 288),
    'dimp_small': (dimpnet_small, None, 144)}
"""Constructor, torchvision's name of the backbone, side of the crops (px)."""
CLOCKS = {'wall': time.perf_counter, 'cpu': time.process_time}
PARTS_FRAMES = 20


def tracking(name: str, frames: int, device: torch.device, warm_up: int = 5, clock: str = 'wall',
             parts: bool = False, speed: str = DEFAULT, together: int = 1) -> dict[str, Any]:
    """Time tracked frames and units in turn.

    Args:
        name: of `NETWORKS`.
        frames: number of frames, after `warm_up` that do not count.
        device: where both run.
        clock: `wall`, or `cpu` for the processor time of all threads, which other programs hardly change.
        parts: also time the parts of further frames.
        speed: preset, see `pytracking.features.speed`.
        together: also track so many sequences in lock-step, see `lockstep_gain`.

    Returns:
        `unit_ms`, `frame_ms`, `median_frame_ms`, `initialise_ms`, and `ratio`, `median_ratio` of frame to unit;
        with `parts` a dictionary `parts`, of ratios of parts to unit; with `together` the keys of `lockstep_gain`.
    """
    now = _finished(CLOCKS[clock], device)
    tracker, unit = _tracker(name, device, speed)
    images = _video(warm_up + frames + PARTS_FRAMES)
    box = [300.0, 220.0, 60.0, 70.0]
    initialise = timed(lambda: tracker.initialize(images[0], {'init_bbox': box}), now)
    frame_times, unit_times = [], []
    for index in range(warm_up + frames):
        frame = timed(lambda image=images[index]: tracker.track(image), now)  # type: ignore[misc]
        one = timed(unit, now)
        if index >= warm_up:
            frame_times.append(frame)
            unit_times.append(one)
    mean_unit, median_unit = float(np.mean(unit_times)), float(np.median(unit_times))
    mean, median = float(np.mean(frame_times)), float(np.median(frame_times))
    found: dict[str, Any] = {
        'unit_ms': 1e3 * mean_unit, 'frame_ms': 1e3 * mean, 'median_frame_ms': 1e3 * median,
        'initialise_ms': 1e3 * initialise, 'ratio': mean / mean_unit, 'median_ratio': median / median_unit}
    if together > 1:
        found.update(lockstep_gain(tracker, together, images[:1 + frames], box, now))
    if parts:
        times = parts_of(tracker, images[-PARTS_FRAMES:], now)
        found['parts'] = {part: seconds / median_unit for part, seconds in times.items()}
    return found


def _unit(net: nn.Module, backbone: str | None, side: int, device: torch.device) -> Callable[[], Any]:
    crop = torch.randn(1, 3, side, side, device=device)
    if backbone is None:
        return torch.no_grad()(lambda: net.extract_backbone_features(crop))  # type: ignore[operator]
    resnet = getattr(torchvision.models, backbone)(weights=None).to(device).eval()

    @torch.no_grad()
    def forward() -> torch.Tensor:
        x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(crop))))
        return resnet.layer3(resnet.layer2(resnet.layer1(x)))
    return forward


def _tracker(name: str, device: torch.device, speed: str = DEFAULT) -> tuple[DiMP, Callable[[], Any]]:
    """The tracker, and its unit."""
    constructor, backbone, side = NETWORKS[name]
    torch.manual_seed(0)
    net = constructor(backbone_pretrained=False, **({} if backbone is None else STOCK_OPTIONS)).to(device).eval()
    # Random weights promise any gain to any move: trained ones find the target near the first box.
    net.bb_regressor.iou_predictor.weight.data *= 0.1  # type: ignore[union-attr, operator]
    params = dimp_params(side) if backbone is not None else small_params()
    params.target_not_found_threshold = -math.inf
    params.distractor_threshold = params.hard_negative_threshold = math.inf
    params.net = NetWithBackbone(net, device=device, speed=speed)
    return DiMP(params), _unit(net, backbone, side, device)


def _video(length: int) -> list[np.ndarray]:
    """Noise that drifts by a pixel a frame, (480, 640, 3) uint8."""
    rng = np.random.default_rng(0)
    canvas = rng.integers(0, 255, (480, 640 + length, 3), dtype=np.uint8)
    return [np.ascontiguousarray(canvas[:, i:i + 640]) for i in range(length)]


def _finished(clock: Clock, device: torch.device) -> Clock:
    """A clock that waits for the device before it is read."""
    def now() -> float:
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        elif device.type == 'mps':
            torch.mps.synchronize()
        return clock()
    return now


def main(argv: list[str] | None = None) -> int:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description='Tracking time a frame over the time of one backbone forward.')
    parser.add_argument('--net', choices=NETWORKS, action='append', help='network; may be repeated (default: dimp50)')
    parser.add_argument('--frames', type=number(1), default=60, help='frames to time (default 60: three updates)')
    parser.add_argument('--device', default='auto')
    parser.add_argument('--threads', type=number(1), help='torch threads')
    parser.add_argument('--clock', choices=CLOCKS, default='wall',
                        help='cpu: processor time of all threads, for machines that others use, too (with --threads 1)')
    parser.add_argument('--parts', action=argparse.BooleanOptionalAction, default=False, help='time the parts, too')
    add_tracking(parser)
    sections.add_arguments(parser)
    options = parser.parse_args(argv)
    if options.growth is not None:
        from pytracking.benchmark.growth import growth
        return report(growth(), options.growth, 'growth')
    wanted = sections.chosen(options)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = pick_device(options.device)
    results = {label: tracking(name, options.frames, device, 5, options.clock, options.parts, speed,
                               options.batch_sequences)
               for label, name, speed in runs(options) if 'tracking' in wanted}
    lines = [f'torch {torch.__version__} on {device}, {torch.get_num_threads()} threads; unit: torchvision ResNet to '
             'layer3, eager float32, one 288 px crop']
    for name, figures in results.items():
        lines.append(f'{name}: unit {figures["unit_ms"]:.1f} ms, frame {figures["frame_ms"]:.1f} ms (median '
                     f'{figures["median_frame_ms"]:.1f}), first frame {figures["initialise_ms"]:.0f} ms; frame / unit: '
                     f'mean {figures["ratio"]:.2f}, median {figures["median_ratio"]:.2f}')
        lines += lockstep_lines(figures)
        if 'parts' in figures:
            lines.append('  of these ' + ', '.join(f'{part} {ratio:.3f}' for part, ratio in figures['parts'].items()))
    others, more = sections.measure(wanted, options, device, _finished(CLOCKS[options.clock], device))
    sections.show({'device': str(device), 'torch': torch.__version__, 'threads': torch.get_num_threads(), **results,
                   **others}, [*lines, *more], options.json)
    return 0
