"""Who plays: the target, its look-alikes, passers-by and occluders of one world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .actors import Actor, Occluder
from .bodies import animal, bird, cyclist, person
from .crafts import aircraft, boat, drone, thing
from .machines import car, car_end, car_top, truck
from .motion import Curve, headings, smooth, wander
from .props import bush, fence, pole, tree
from .shapes import Figure, normalise
from .sprite import Affine, apply, build_sprite, chain
from .surfaces import PatternPool, Surface, dress, resemble
from .thermal import Climate

Maker = Callable[[np.random.Generator], Figure]

CASTS: dict[str, tuple[tuple[Maker, float], ...]] = {
    'street': ((person, 4), (car, 3), (car_end, 2), (truck, 2), (cyclist, 2), (animal, 1), (thing, 1)),
    'aerial': ((car_top, 4), (person, 2), (cyclist, 1), (animal, 1), (thing, 2), (drone, 1)),
    'field': ((animal, 4), (person, 2), (car, 1), (bird, 1), (thing, 2), (drone, 1), (truck, 1)),
    'yard': ((person, 4), (cyclist, 2), (car_end, 1), (car, 1), (animal, 1), (thing, 2)),
    'shore': ((boat, 4), (bird, 2), (drone, 1), (thing, 1)),
    'open_sky': ((drone, 3), (aircraft, 3), (bird, 2), (thing, 1)),
}


@dataclass(frozen=True)
class Role:
    """An individual: what it is and what it wears."""

    figure: Figure
    worn: dict[str, Surface]


@dataclass(frozen=True)
class Stage:
    """What all actors of a world share.

    Attributes:
        rng: source of randomness.
        climate: weather.
        kind: layout of the place.
        length: frames.
        frame: (height, width) of the image, px.
        unit: px of this world over px of a 240 x 180 one.
        horizon: row of the horizon in the image, px; 0 when seen from above.
        cameras: for each frame, backdrop px to image px.
        pool: patterns.
    """

    rng: np.random.Generator
    climate: Climate
    kind: str
    length: int
    frame: tuple[int, int]
    unit: float
    horizon: float
    cameras: list[Affine]
    pool: PatternPool


def draw_role(stage: Stage) -> Role:
    """Draw an individual that belongs to the place."""
    makers, weights = zip(*CASTS[stage.kind], strict=True)
    chosen = stage.rng.choice(len(makers), p=np.asarray(weights) / sum(weights))
    figure = normalise(makers[chosen](stage.rng))
    return Role(figure, _dressed(stage, figure))


def _dressed(stage: Stage, figure: Figure) -> dict[str, Surface]:
    names = dict.fromkeys(part.name for pose in figure.poses for part in pose)
    return dress(stage.rng, stage.climate, names, stage.pool)


def draw_double(stage: Stage, role: Role) -> Role:
    """A look-alike: the same class and body, colours and temperatures close to the original's."""
    return Role(role.figure, resemble(stage.rng, role.worn))


def sizes(stage: Stage, middle: float, growth: float) -> Curve:
    """Size (square root of the box area, px) over time: about `middle`, largest over smallest <= `growth`."""
    swing = np.sqrt(growth)
    curve = np.exp(
        smooth(stage.rng, stage.length, -np.log(swing), np.log(swing), max(stage.length * 0.6, 12))
    )
    return np.clip(middle * curve, 17 * stage.unit, 56 * stage.unit)


def act(stage: Stage, role: Role, size: Curve, path: Curve) -> Actor:
    """Paint a role and set it on a path.

    Args:
        stage: the world.
        role: who.
        size: square root of the box area over time, px (length,).
        path: middle of the object over time, image px (length, 2).
    """
    rng, figure, n = stage.rng, role.figure, stage.length
    points = np.concatenate([c for part in figure.poses[0] for c in part.contours])
    extent = np.ptp(points, axis=0)
    longest = 0.42 * min(stage.frame) / extent.max()
    scale = np.minimum(size / np.sqrt(extent[0] * extent[1]), longest)
    side = 16 * int(np.ceil(1.1 * scale.max() / 16))
    sprite = build_sprite(rng, figure, role.worn, stage.pool, side, stage.climate.day)
    velocity = headings(path)
    swing = np.radians(figure.turn)
    if figure.turn >= 40:  # seen from above: it turns with its heading
        angle = np.unwrap(np.arctan2(velocity[:, 1], velocity[:, 0])) if n > 1 else np.zeros(n)
    else:
        angle = smooth(rng, n, -swing, swing, 18)
    slim = bool(extent[0] < 0.6 * extent[1])  # seen from its narrow side it is hardly narrower
    stretch = smooth(rng, n, 0.9 if slim else 0.78, 1.0, 20)
    if figure.sided:
        facing = np.tanh(velocity[:, 0] / (0.015 * size))
        stretch = stretch * np.where(facing < 0, -1, 1) * np.maximum(np.abs(facing), 0.8 if slim else 0.6)
    gait = rng.uniform(0.4, 0.8) + 4 * np.linalg.norm(velocity, axis=1) / size
    pose = (rng.uniform(0, 6) + np.cumsum(gait)).astype(np.int64) % len(figure.poses)
    return Actor(figure.kind, sprite, path.copy(), scale, angle, stretch, pose, np.zeros(n), figure.flies)


def free_path(stage: Stage, role: Role, size: Curve, pace: float, centred: bool = False) -> Curve:
    """A path inside the image; `pace` is the speed over the size. Ground dwellers keep below the horizon."""
    rng, (height, width) = stage.rng, stage.frame
    half = size.max() * 0.7
    top = half if role.figure.flies or stage.horizon <= 0 else max(stage.horizon - 0.2 * half, half)
    bounds = (half, min(top, height - half), width - half, height - half)
    if centred:
        start = width / 2 + rng.normal(0, 0.2) * width, height / 2 + rng.normal(0, 0.2) * height
    else:
        start = rng.uniform(bounds[0], bounds[2]), rng.uniform(bounds[1], bounds[3])
    speed = np.minimum(smooth(rng, stage.length, 0.2, 1.8, 8) * pace, 0.2) * size
    level = 0.0 if role.figure.flies or stage.kind == 'aerial' else 0.6
    return wander(rng, start, speed, bounds, level, 0.05 if role.figure.turn >= 40 else 0.12)


def passing_path(stage: Stage, target: Actor, size: Curve) -> Curve:
    """A path that comes near the target, passes it and leaves."""
    rng, n = stage.rng, stage.length
    when = rng.uniform(0.15, 0.95) * n
    speed = rng.choice([-1, 1]) * rng.uniform(0.03, 0.12) * size.mean()
    miss = (
        rng.uniform(-0.35, 0.35) * size.mean()
        if rng.random() < 0.6
        else rng.choice([-1, 1]) * size.mean() * 1.2
    )
    offset = np.column_stack([speed * (np.arange(n) - when), miss + smooth(rng, n, -0.2, 0.2) * size])
    anchor = target.path[min(int(when), n - 1)]
    return (0.6 * target.path + 0.4 * anchor) + offset


def passers_path(stage: Stage, size: Curve, flies: bool) -> Curve:
    """A path through the world rather than the image: it moves with the background when the camera pans."""
    rng, (height, width) = stage.rng, stage.frame
    low = min(max(stage.horizon, 0.0) * (0.2 if flies else 1.0), 0.9 * height)
    start = rng.uniform(0, width), rng.uniform(low, height)
    speed = smooth(rng, stage.length, 0, rng.uniform(0, 0.12), 12) * size
    own = wander(rng, start, speed, (-0.3 * width, low, 1.3 * width, height), 0.6)
    middle = np.array([[width / 2, height / 2]])
    first = np.linalg.inv(np.vstack([stage.cameras[0], (0, 0, 1)]))[:2]
    drift = [apply(chain(matrix, first), middle)[0] - middle[0] for matrix in stage.cameras]
    return own + np.asarray(drift)


def draw_occluder(stage: Stage, target: Actor) -> Occluder:
    """Something that stands where the target will pass."""
    rng, when = stage.rng, int(stage.rng.uniform(0.2, 0.95) * stage.length)
    x, y, wide, tall = target.box(when)
    kind = rng.choice(['pole', 'tree', 'fence', 'bush'], p=[0.45, 0.2, 0.2, 0.15])
    reach = max(int(tall * rng.uniform(1.6, 3.0)), 12)
    if kind == 'pole':
        patch = pole(rng, stage.climate, reach, thick=max(wide * float(rng.uniform(0.15, 0.4)), 2.0))
    elif kind == 'tree':
        patch = tree(rng, stage.climate, int(reach * 1.3))
    elif kind == 'fence':
        patch = fence(
            rng,
            stage.climate,
            max(int(tall * rng.uniform(0.5, 1.2)), 8),
            int(wide * rng.uniform(1.5, 4)) + 6,
            max(wide * 0.25, 5),
        )
    else:
        patch = bush(rng, stage.climate, max(int(tall * rng.uniform(0.4, 0.7)), 6))
    height, width = patch.alpha.shape
    angle = rng.uniform(-0.06, 0.06) if stage.horizon > 0 else rng.uniform(-1.2, 1.2)
    c, s = np.cos(angle), np.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    grounded = stage.horizon > 0 and not target.flies
    anchor = np.array([width / 2, height if grounded else height / 2])
    spot = np.array(
        [x + wide * rng.uniform(0.3, 0.7), y + tall * (rng.uniform(1.02, 1.2) if grounded else 0.5)]
    )
    in_image = np.column_stack([linear, spot - linear @ anchor])
    back = np.linalg.inv(np.vstack([stage.cameras[when], (0, 0, 1)]))[:2]
    return Occluder(patch, chain(back, in_image), stage.cameras, 1e3 if grounded else 1e5)
