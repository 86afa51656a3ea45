"""Targets that a detector sees again from frame to frame: a truth that no tracker has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.box_records import Found

OVERLAP = 0.4
"""Between a box and the last one of its chain; what overlaps less is another target."""
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


def overlap(first: Found, second: Found) -> float:
    """Intersection over union."""
    width = min(first.x2, second.x2) - max(first.x1, second.x1)
    height = min(first.y2, second.y2) - max(first.y1, second.y1)
    inner = max(width, 0.0) * max(height, 0.0)
    outer = sum((box.x2 - box.x1) * (box.y2 - box.y1) for box in (first, second)) - inner
    return inner / outer if outer > 0 else 0.0


def _link(running: Sequence[list[tuple[int, Found]]], number: int, found: Sequence[Found]) -> list[Found]:
    """Put each box at the end of the chain that it fits best; returns those that fit none."""
    pairs = [(overlap(links[-1][1], box), chain, place) for chain, links in enumerate(running)
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
    boxes = np.array([(b.x1, b.y1, b.x2 - b.x1, b.y2 - b.y1) for _, b in links])
    every = np.arange(seen[0], seen[-1] + 1)
    return Chain(int(seen[0]), np.stack([np.interp(every, seen, side) for side in boxes.T], axis=1),
                 float(np.mean([box.score for _, box in links])))
