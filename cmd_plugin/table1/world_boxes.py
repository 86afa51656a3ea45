"""Boxes for row d5 on the generated world: where the objects of the pairs are, in place of what a detector would find.

No detector knows this world, so its own plan answers: every object of which most is in the image, hidden parts too,
with certainty. That is an upper bound of what a detector could give.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.box_coco import write_coco
from cmd_plugin.data.box_records import Found, Record
from cmd_plugin.world import SIZE
from cmd_plugin.world.actors import Actor
from cmd_plugin.world.plan import World, plan_world, stream
from cmd_plugin.world.write import SCENE_STRIDE

PER_SCENE = 4
LEAST_INSIDE = 0.6
LEAST_SIDE = 6.0


def write_world_boxes(path: Path, seed: int, pairs: int) -> Path:
    """Write (or find) the boxes of `write_pairs(root, seed, pairs)`, COCO JSON, `xywh`, image px; returns the file."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_coco(path, [record for index in range(-(-pairs // PER_SCENE))
                          for record in _records(seed, index, min(PER_SCENE, pairs - index * PER_SCENE))],
                   {'source': 'plan of the generated world', 'root': 'pairs'})
    return path


def _records(seed: int, index: int, count: int) -> list[Record]:
    """Boxes of the RGB halves of one scene, which is planned again as `write_pairs` does."""
    world = plan_world(stream(seed, 'pairs/train', index), (PER_SCENE - 1) * SCENE_STRIDE + 1, SIZE, crowd=True)
    return [Record(f'visible/{index:05d}_{t:03d}.jpg', 'rgb', boxes_of(world, t), world.frame)
            for t in range(0, count * SCENE_STRIDE, SCENE_STRIDE)]


def boxes_of(world: World, t: int) -> tuple[Found, ...]:
    """Objects of a frame of which most is in the image, clipped to it."""
    height, width = world.frame
    found = []
    for actor in (world.target, *world.others):
        if isinstance(actor, Actor):
            x, y, w, h = actor.box(t)
            low = np.clip((x, y), 0, (width, height))
            high = np.clip((x + w, y + h), 0, (width, height))
            if _is_seen(low, high, w * h):
                found.append(Found(float(low[0]), float(low[1]), float(high[0]), float(high[1]), 1.0, actor.kind))
    return tuple(found)


def _is_seen(low: NDArray[np.float64], high: NDArray[np.float64], area: float) -> bool:
    sides = high - low
    return bool(sides.min() >= LEAST_SIDE and sides.prod() >= LEAST_INSIDE * area)
