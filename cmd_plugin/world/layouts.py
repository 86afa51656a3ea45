"""Kinds of places: how street, field, yard, shore, the ground from above and the open sky are painted."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .noise import FloatImage, fractal
from .props import building, bush, fence, lay, material, pole, rock, tree
from .shapes import Points, polar
from .sprite import Patch, fill, stamp
from .thermal import Climate

_IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def _place(canvas: FloatImage, patch: Patch, x: float, foot: float) -> None:
    """Stand a patch on row `foot`, centred on column x."""
    height, width = patch.alpha.shape
    stamp(canvas, patch, np.array([[1.0, 0, round(x - width / 2)], [0, 1.0, round(foot - height)]]))


def _area(canvas: FloatImage, outline: Points, rgbt: FloatImage) -> None:
    mask = np.zeros(canvas.shape[:2], np.uint8)
    fill(mask, (outline,), _IDENTITY, smooth=True)
    lay(canvas, mask, rgbt)


def _band(canvas: FloatImage, top: float, tilt: float, rgbt: FloatImage) -> None:
    """Everything below a slightly tilted, straight edge."""
    height, width = canvas.shape[:2]
    _area(
        canvas,
        np.array([(-2, top - tilt), (width + 2, top + tilt), (width + 2, height + 2), (-2, height + 2)]),
        rgbt,
    )


def _strip(canvas: FloatImage, start: Points, end: Points, wide: float, rgbt: FloatImage) -> None:
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    normal = np.array([-along[1], along[0]]) * wide / 2
    _area(canvas, np.stack([start + normal, end + normal, end - normal, start - normal]), rgbt)


def _skyline(
    rng: np.random.Generator, canvas: FloatImage, climate: Climate, foot: float, unit: float
) -> None:
    """A row of buildings, trees and poles along the horizon."""
    x, urban = 0.0, rng.uniform(0.1, 0.8)
    while x < canvas.shape[1]:
        kind = rng.random()
        tall = int(unit * rng.uniform(22, 75))
        patch = (
            building(rng, climate, tall)
            if kind < urban
            else tree(rng, climate, tall)
            if kind < 0.93
            else pole(rng, climate, tall)
        )
        _place(canvas, patch, x, foot + rng.uniform(0, 6) * unit)
        x += patch.alpha.shape[1] * rng.uniform(0.6, 1.5)


def _scatter(
    rng: np.random.Generator, canvas: FloatImage, climate: Climate, top: float, unit: float, count: int
) -> None:
    """Bushes, stones, posts and trees on the ground, far ones first."""
    height, width = canvas.shape[:2]
    for foot in np.sort(rng.uniform(top + 4 * unit, height, count)):
        near = 0.5 + 0.7 * (foot - top) / max(height - top, 1)
        maker = (bush, rock, rock, tree, pole)[int(rng.integers(5))]
        tall = unit * near * (rng.uniform(25, 60) if maker in (tree, pole) else rng.uniform(8, 22))
        _place(canvas, maker(rng, climate, max(int(tall), 6)), rng.uniform(0, width), float(foot))


def _street(rng: np.random.Generator, canvas: FloatImage, climate: Climate, unit: float) -> float:
    shape = canvas.shape[:2]
    horizon = shape[0] * rng.uniform(0.25, 0.5)
    canvas[:] = material(rng, climate, 'sky', shape, 80 * unit)
    if rng.random() < 0.6:
        clouds = np.clip(fractal(rng, shape, 60 * unit, 0.6) * 160, 0, 255).astype(np.uint8)
        lay(canvas, clouds, material(rng, climate, 'cloud', shape, 40 * unit))
    ground = rng.permutation(['grass', 'concrete', 'asphalt', 'soil', 'asphalt'])[: int(rng.integers(2, 5))]
    edges = np.sort(rng.uniform(horizon + 8 * unit, shape[0], len(ground) - 1))
    _band(canvas, horizon, 0, material(rng, climate, str(ground[0]), shape, 30 * unit))
    _skyline(rng, canvas, climate, horizon, unit)
    for name, edge in zip(ground[1:], edges, strict=True):
        tilt = rng.normal(0, 5) * unit
        _band(canvas, edge, tilt, material(rng, climate, str(name), shape, 30 * unit))
        if name == 'asphalt':
            paint = material(rng, climate, 'marking', shape)
            row = edge + rng.uniform(6, 30) * unit
            for x in np.arange(0, shape[1], rng.uniform(20, 50) * unit):
                _strip(canvas, np.array([x, row]), np.array([x + 12 * unit, row]), 2.5 * unit, paint)
    _scatter(rng, canvas, climate, horizon, unit, int(rng.integers(2, 7)))
    return horizon


def _aerial(rng: np.random.Generator, canvas: FloatImage, climate: Climate, unit: float) -> float:
    height, width = shape = canvas.shape[:2]
    canvas[:] = material(
        rng, climate, str(rng.choice(['grass', 'soil', 'concrete', 'asphalt'])), shape, 50 * unit
    )
    for _ in range(int(rng.integers(1, 5))):
        name = str(rng.choice(['grass', 'soil', 'concrete', 'water', 'foliage']))
        outline = polar(
            rng.uniform(0, width), rng.uniform(0, height), rng.uniform(20, 90, int(rng.integers(4, 9))) * unit
        )
        _area(canvas, outline, material(rng, climate, name, shape, 30 * unit))
    for _ in range(int(rng.integers(1, 3))):
        start, end = np.array([-9.0, rng.uniform(0, height)]), np.array([width + 9.0, rng.uniform(0, height)])
        if rng.random() < 0.4:
            start, end = (
                np.array([rng.uniform(0, width), -9.0]),
                np.array([rng.uniform(0, width), height + 9.0]),
            )
        _strip(
            canvas,
            start,
            end,
            rng.uniform(28, 60) * unit,
            material(rng, climate, 'asphalt', shape, 40 * unit),
        )
        paint = material(rng, climate, 'marking', shape)
        for k in np.arange(0, 1, 0.07):
            _strip(canvas, start + (end - start) * k, start + (end - start) * (k + 0.03), 2 * unit, paint)
    for _ in range(int(rng.integers(0, 5))):
        middle, angle = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, np.pi)
        along = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(12, 35) * unit
        _strip(
            canvas,
            middle - along,
            middle + along,
            rng.uniform(20, 50) * unit,
            material(rng, climate, 'roof', shape, 20 * unit),
        )
    for _ in range(int(rng.integers(2, 12))):
        _place(
            canvas,
            bush(rng, climate, int(rng.uniform(10, 28) * unit)),
            rng.uniform(0, width),
            rng.uniform(0, height),
        )
    return 0.0


def _field(rng: np.random.Generator, canvas: FloatImage, climate: Climate, unit: float) -> float:
    shape = canvas.shape[:2]
    horizon = shape[0] * rng.uniform(0.0, 0.4)
    canvas[:] = material(rng, climate, 'sky', shape, 80 * unit)
    for name in ('rock', 'foliage'):
        ridge = horizon - np.abs(fractal(rng, (1, shape[1]), 90 * unit, 0.5)[0]) * rng.uniform(4, 18) * unit
        outline = [*zip(range(shape[1]), ridge, strict=True), (shape[1], horizon + 9), (0, horizon + 9)]
        _area(canvas, np.array(outline, float), material(rng, climate, name, shape, 25 * unit))
    first, second = rng.permutation(['grass', 'soil', 'grass'])[:2]
    _band(canvas, horizon, 0, material(rng, climate, str(first), shape, 40 * unit))
    patches = np.clip(fractal(rng, shape, 60 * unit, 0.6) * 200, 0, 255).astype(np.uint8)
    patches[: int(horizon) + 4] = 0
    lay(canvas, patches, material(rng, climate, str(second), shape, 20 * unit))
    _scatter(rng, canvas, climate, horizon, unit, int(rng.integers(5, 14)))
    return horizon


def _yard(rng: np.random.Generator, canvas: FloatImage, climate: Climate, unit: float) -> float:
    height, width = shape = canvas.shape[:2]
    horizon = height * rng.uniform(0.4, 0.6)
    canvas[:] = material(rng, climate, 'wall', shape, 60 * unit)
    x = -10.0
    while x < width:
        front = building(rng, climate, int(horizon * rng.uniform(0.8, 1.3)))
        _place(canvas, front, x, horizon)
        x += front.alpha.shape[1]
    _band(
        canvas,
        horizon,
        rng.normal(0, 2) * unit,
        material(rng, climate, str(rng.choice(['concrete', 'asphalt'])), shape, 50 * unit),
    )
    if rng.random() < 0.5:
        rail = fence(rng, climate, int(rng.uniform(18, 35) * unit), width, rng.uniform(6, 14) * unit)
        _place(canvas, rail, width / 2, horizon + rng.uniform(4, 20) * unit)
    _scatter(rng, canvas, climate, horizon, unit, int(rng.integers(1, 6)))
    return horizon


def _shore(rng: np.random.Generator, canvas: FloatImage, climate: Climate, unit: float) -> float:
    shape = canvas.shape[:2]
    horizon = shape[0] * rng.uniform(0.2, 0.45)
    canvas[:] = material(rng, climate, 'sky', shape, 80 * unit)
    _skyline(rng, canvas, climate, horizon, unit * 0.5)
    water = material(rng, climate, 'water', shape, 30 * unit)
    waves = fractal(rng, (shape[0], shape[1] // 6), 8 * unit, 0.8)
    ripple = cv2.resize(waves, (shape[1], shape[0])) * np.float32(rng.uniform(5, 18))
    water[..., :3] += ripple[..., None]
    water[..., 3] += ripple * np.float32(rng.uniform(-0.04, 0.04))
    _band(canvas, horizon, 0, water)
    return horizon


def _open_sky(rng: np.random.Generator, canvas: FloatImage, climate: Climate, unit: float) -> float:
    shape = canvas.shape[:2]
    canvas[:] = material(rng, climate, 'sky', shape, 90 * unit)
    clouds = np.clip(fractal(rng, shape, 70 * unit, 0.6) * 120, 0, 255).astype(np.uint8)
    lay(canvas, clouds, material(rng, climate, 'cloud', shape, 40 * unit))
    foot = shape[0] * rng.uniform(0.75, 0.95)
    _band(canvas, foot, rng.normal(0, 10) * unit, material(rng, climate, 'foliage', shape, 25 * unit))
    _skyline(rng, canvas, climate, foot, unit)
    return foot


LAYOUTS: dict[str, Callable[[np.random.Generator, FloatImage, Climate, float], float]] = {
    'street': _street,
    'aerial': _aerial,
    'field': _field,
    'yard': _yard,
    'shore': _shore,
    'open_sky': _open_sky,
}
