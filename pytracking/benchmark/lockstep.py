"""Presets of speed, and sequences in lock-step, in `python -m pytracking.benchmark`."""

from __future__ import annotations

import argparse
import copy
from typing import Any

import numpy as np

from ltr.admin.arguments import number
from pytracking.benchmark.parts import Clock
from pytracking.features import speed
from pytracking.tracker.base.steps import advance
from pytracking.tracker.common.online import OnlineTracker


def add_tracking(parser: argparse.ArgumentParser) -> None:
    """`--speed` and `--batch-sequences`."""
    parser.add_argument('--speed', action='append', metavar='S', help=f'may be repeated; {speed.HELP}')
    parser.add_argument('--batch-sequences', type=number(1), default=1, metavar='N',
                        help='also track N sequences in lock-step, and print their frames/s over those of one')


def runs(options: argparse.Namespace) -> list[tuple[str, str, str]]:
    """Label, network and preset of what is to be tracked."""
    speeds = options.speed or [speed.DEFAULT]
    return [(name if options.speed is None else f'{name} {one}', name, one)
            for name in options.net or ['dimp50'] for one in speeds]


def lockstep_gain(tracker: OnlineTracker, number: int, images: list[np.ndarray], box: list[float],
                  now: Clock) -> dict[str, Any]:
    """Time rounds of several trackers and frames of one, in turn.

    Args:
        tracker: initialised; it tracks on.
        number: of trackers in lock-step, made like `tracker`.
        images: the first is learned from; each tracker sees them shifted by some pixels.
        box: of the target, `xywh`, px.
        now: clock that waits for the device.

    Returns:
        `together`: their number; `round_ms`: median time of a round, one frame of each; `gain`: frames/s of all over
        frames/s of one, of means, so that updates count.
    """
    many = [type(tracker)(copy.copy(tracker.params)) for _ in range(number)]
    for index, one in enumerate(many):
        one.initialize(_shifted(images[0], index), {'init_bbox': box})
    rounds, frames = [], []
    for image in images[1:]:
        begun = now()
        outcomes = advance([one.steps(_shifted(image, index)) for index, one in enumerate(many)])
        between = now()
        tracker.track(image)
        rounds.append(between - begun)
        frames.append(now() - between)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
    return {'together': number, 'round_ms': 1e3 * float(np.median(rounds)),
            'gain': number * float(np.mean(frames)) / float(np.mean(rounds))}


def _shifted(image: np.ndarray, index: int) -> np.ndarray:
    return np.roll(image, 7 * index, axis=0)


def lockstep_lines(figures: dict[str, Any]) -> list[str]:
    """What the table says about it."""
    if 'gain' not in figures:
        return []
    return [f'  {figures["together"]} sequences in lock-step: {figures["round_ms"]:.1f} ms a round; frames/s of all / '
            f'frames/s of one: {figures["gain"]:.2f}']
