"""From a seed to everything that one world holds: weather, place, camera, cast and their paths."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .actors import Actor, Layer, visibility
from .backdrop import Backdrop, paint_backdrop
from .cast import (
    Stage,
    act,
    draw_double,
    draw_occluder,
    draw_role,
    free_path,
    passers_path,
    passing_path,
    sizes,
)
from .layouts import LAYOUTS
from .motion import camera, smooth
from .sprite import Affine, apply
from .surfaces import PatternPool
from .thermal import Climate, draw_climate

LEAST_VISIBLE = 0.3
"""Share of the target that can be seen in every frame."""

LEAST_VISIBLE_FIRST = 0.8
"""The same in the first frame, from which a tracker learns its target."""

_SHARES = {'night': 0.4, 'black_hot': 0.3, 'crossover': 0.2, 'distractor': 0.65}
_LAYOUT_SHARES = (0.28, 0.2, 0.2, 0.16, 0.06, 0.1)


@dataclass(frozen=True)
class World:
    """A planned world, ready to be filmed.

    Attributes:
        frame: (height, width) of the image, px.
        unit: px of this world over px of a 240 x 180 one.
        climate: weather.
        backdrop: the place.
        cameras: for each frame, backdrop px to image px.
        target: what the boxes belong to.
        others: look-alikes, passers-by and occluders.
        visible: share of the target that can be seen, per frame; NaN in a crowd, where nobody asks.
        flags: attributes ('night', 'occlusion', ...), sorted.
    """

    frame: tuple[int, int]
    unit: float
    climate: Climate
    backdrop: Backdrop
    cameras: list[Affine]
    target: Actor
    others: tuple[Layer, ...]
    visible: NDArray[np.float64]
    flags: tuple[str, ...]


def stream(seed: int, purpose: str, index: int = 0) -> np.random.SeedSequence:
    """Seed of one world; differing purposes or indices give independent worlds.

    Raises:
        ValueError: negative seed or index.
    """
    if seed < 0 or index < 0:
        raise ValueError(f'seed and index must be >= 0 (got {seed}, {index})')
    return np.random.SeedSequence(entropy=seed, spawn_key=(zlib.crc32(purpose.encode()), index))


def _crossover(stage: Stage, target: Actor, backdrop: Backdrop) -> NDArray[np.float64]:
    """Heat that takes the target's mean temperature through that of its surroundings."""
    times = np.linspace(0, stage.length - 1, min(stage.length, 6)).astype(int)
    patch = target.sprite.mips[0][-1]
    own = float(patch.rgbt[..., 3].sum() / max(patch.alpha.sum(), 1e-6))
    around = []
    for t in times:
        back = np.linalg.inv(np.vstack([stage.cameras[t], (0, 0, 1)]))[:2]
        x, y, w, h = target.box(t)
        spots = apply(
            back, np.array([(x + w * i, y + h * j) for i in (-0.1, 0.5, 1.1) for j in (0.1, 0.5, 0.9)])
        )
        columns = np.clip(spots[:, 0].astype(int), 0, backdrop.canvas.shape[1] - 1)
        rows = np.clip(spots[:, 1].astype(int), 0, backdrop.canvas.shape[0] - 1)
        around.append(float(np.median(backdrop.canvas[rows, columns, 3])))
    surround = np.interp(np.arange(stage.length), times, around)
    start, end = stage.rng.uniform(2, 5), -stage.rng.uniform(0.5, 3)
    if stage.rng.random() < 0.5:
        start, end = -start, -end
    return np.linspace(start, end, stage.length) + surround - own


def _cull(target: Actor, others: list[Layer], length: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Take out whatever hides too much of the target; return its visible share per frame."""
    while True:
        seen = [visibility(target, others, t, shape) for t in range(length)]
        shares = np.array([s for s, _ in seen])
        need = np.full(length, LEAST_VISIBLE)
        need[0] = LEAST_VISIBLE_FIRST
        worst = int(np.argmin(shares - need))
        if shares[worst] >= need[worst] or not any(seen[worst][1]):
            return shares
        del others[int(np.argmax(seen[worst][1]))]


def _flags(target: Actor, visible: NDArray[np.float64], chosen: dict[str, bool]) -> tuple[str, ...]:
    boxes = np.array([target.box(t) for t in range(len(target.path))])
    size = np.sqrt(boxes[:, 2] * boxes[:, 3])
    steps = np.linalg.norm(np.diff(boxes[:, :2] + boxes[:, 2:] / 2, axis=0), axis=1) / size[1:]
    found = {
        **chosen,
        'occlusion': bool(np.nanmin([1.0, *visible]) < 0.85),
        'scale': bool(size.max() / size.min() > 1.35),
        'fast': bool(len(steps) and steps.max() > 0.15),
    }
    return tuple(sorted(name for name, present in found.items() if present))


def _lead(
    stage: Stage, backdrop: Backdrop, chosen: dict[str, bool], crowd: bool
) -> tuple[Actor, list[Layer]]:
    """The target and its look-alikes; the first of these passes close by."""
    rng, (height, width) = stage.rng, stage.frame
    role = draw_role(stage)
    span = sizes(stage, float(rng.uniform(20, 45)) * stage.unit, float(rng.uniform(1.0, 1.6)))
    pace = float(np.exp(rng.uniform(np.log(0.02), np.log(0.14))))
    target = act(stage, role, span, free_path(stage, role, span, pace, centred=crowd))
    target.keep_inside(width, height)
    if chosen['crossover']:
        target.heat = _crossover(stage, target, backdrop)
    twins: list[Layer] = []
    for number in range(int(rng.integers(1, 4)) if chosen['distractor'] else 0):
        near = span * smooth(rng, stage.length, 0.85, 1.15, 20)
        path = passing_path(stage, target, near) if number == 0 else free_path(stage, role, near, pace)
        twin = act(stage, draw_double(stage, role), near, path)
        twin.heat = target.heat
        twins.append(twin)
    return target, twins


def _extras(stage: Stage, crowd: bool) -> list[Layer]:
    """Passers-by that have nothing to do with the target."""
    rng, extras = stage.rng, []
    for _ in range(int(rng.integers(8, 15) if crowd else rng.integers(1, 6))):
        role = draw_role(stage)
        span = sizes(stage, float(rng.uniform(17, 40)) * stage.unit, 1.2)
        if crowd and rng.random() < 0.6:
            path = free_path(stage, role, span, 0.05, centred=True)
        else:
            path = passers_path(stage, span, role.figure.flies)
        extras.append(act(stage, role, span, path))
    return list(extras)


def plan_world(
    seed: np.random.SeedSequence, length: int, size: tuple[int, int], crowd: bool = False, daylight: bool = False
) -> World:
    """Plan one world.

    Args:
        seed: see `stream`.
        length: frames (>= 1).
        size: (width, height) of the image, px, each at least 64.
        crowd: many objects around the image centre, as in a collection of pairs, rather than one target with
            a few others, as in a tracking sequence.
        daylight: no nights; the rest is drawn as always.

    Raises:
        ValueError: too short or too small.
    """
    width, height = size
    if length < 1 or min(size) < 64:
        raise ValueError(f'need length >= 1 and both sides >= 64 px (got {length}, {width} x {height})')
    rng = np.random.default_rng(seed)
    unit = min(width / 240, height / 180)
    chosen = {name: bool(rng.random() < share) for name, share in _SHARES.items()}
    chosen['night'] &= not daylight
    blocked = bool(rng.random() < 0.5)
    climate = draw_climate(rng, chosen['night'])
    kind = str(rng.choice(list(LAYOUTS), p=_LAYOUT_SHARES))
    place = (int(height * 1.25), int(width * 1.5))
    backdrop = paint_backdrop(rng, climate, kind, place, unit)
    cameras = camera(rng, length, (height, width), place, unit)
    horizon = 0.0
    if backdrop.horizon > 0:
        horizon = float(apply(cameras[0], np.array([[width / 2, backdrop.horizon]]))[0, 1])
    pool = PatternPool(rng, int(200 * unit))
    stage = Stage(rng, climate, kind, length, (height, width), unit, horizon, cameras, pool)

    target, others = _lead(stage, backdrop, chosen, crowd)
    others += _extras(stage, crowd)
    others += [draw_occluder(stage, target) for _ in range(int(rng.integers(1, 3)) if blocked else 0)]
    visible = np.full(length, np.nan) if crowd else _cull(target, others, length, (height, width))
    flags = _flags(target, visible, chosen)
    return World((height, width), unit, climate, backdrop, cameras, target, tuple(others), visible, flags)
