"""Targets that a detector sees again from frame to frame: a truth that no tracker has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.box_records import Found

OVERLAP = 0.4
"""Between a box and the last one of its chain; what overlaps less is another target."""
Box = tuple[float, float, float, float]
GAP = 2
"""Frames in a row in which a target may be missed; its box lies on the way between its neighbours."""


@dataclass(frozen=True)
class Chain:
    """One target.

    Attributes:
        start: its first frame.
        boxes: (n, 4) from there on, one a frame, `xywh`, image px.
        score: mean confidence of the detections.
    """

    start: int
    boxes: NDArray[np.float64]
    score: float

    @property
    def stop(self) -> int:
        """The frame after its last one."""
        return self.start + len(self.boxes)


def chains(frames: Sequence[Sequence[Found]], least: int) -> list[Chain]:
    """Link detections of one label from frame to frame, the greatest overlap first.

    Args:
        frames: detections of every frame, in order.
        least: frames; shorter chains are left out.

    Returns:
        Chains, the most confident first.
    """
    running: list[list[tuple[int, Found]]] = []
    ended: list[list[tuple[int, Found]]] = []
    for number, found in enumerate(frames):
        ended += [links for links in running if number - links[-1][0] > GAP + 1]
        running = [links for links in running if number - links[-1][0] <= GAP + 1]
        free = _link(running, number, found)
        running += [[(number, box)] for box in free]
    made = [_chain(links) for links in (*ended, *running)]
    return sorted((chain for chain in made if len(chain.boxes) >= least), key=lambda chain: -chain.score)


def xywh(box: Found) -> Box:
    """Place of a detection, image px."""
    return box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes `xywh`."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(np.add(first[:2], first[2:]), np.add(second[:2], second[2:]))
    inner = float(np.prod(np.clip(high - low, 0, None)))
    return inner / (first[2] * first[3] + second[2] * second[3] - inner)


def _link(running: Sequence[list[tuple[int, Found]]], number: int, found: Sequence[Found]) -> list[Found]:
    """Put each box at the end of the chain that it fits best; returns those that fit none."""
    pairs = [(overlap(xywh(links[-1][1]), xywh(box)), chain, place) for chain, links in enumerate(running)
             for place, box in enumerate(found) if links[-1][1].label == box.label]
    taken: set[int] = set()
    grown: set[int] = set()
    for shared, chain, place in sorted(pairs, reverse=True):
        if shared >= OVERLAP and chain not in grown and place not in taken:
            running[chain].append((number, found[place]))
            grown.add(chain)
            taken.add(place)
    return [box for place, box in enumerate(found) if place not in taken]


def _chain(links: Sequence[tuple[int, Found]]) -> Chain:
    seen = np.array([number for number, _ in links])
    boxes = np.array([xywh(box) for _, box in links])
    every = np.arange(seen[0], seen[-1] + 1)
    return Chain(int(seen[0]), np.stack([np.interp(every, seen, side) for side in boxes.T], axis=1),
                 float(np.mean([box.score for _, box in links])))
