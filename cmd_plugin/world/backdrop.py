"""The place, painted once and larger than a frame so that a camera can pan, and the light on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layouts import LAYOUTS
from .noise import FloatImage, fractal
from .thermal import Climate

LIGHT_STEP = 4
"""The light map is this many times coarser than the backdrop."""


@dataclass(frozen=True)
class Backdrop:
    """A painted place.

    Attributes:
        canvas: rgbt float32 (height, width, 4).
        light: factor of the colours, float32 (height / LIGHT_STEP, width / LIGHT_STEP, 3).
        kind: layout ('street', 'aerial', ...).
        horizon: row of the horizon in px; things that stand have their feet below it; 0 when seen from above.
    """

    canvas: FloatImage
    light: FloatImage
    kind: str
    horizon: float


def _light(rng: np.random.Generator, shape: tuple[int, int], climate: Climate) -> FloatImage:
    """Factor of the colours: sun and cloud shadows by day; little light and pools of lamps by night."""
    coarse = (shape[0] // LIGHT_STEP, shape[1] // LIGHT_STEP)
    tint = 1 + rng.normal(0, 0.06, 3)
    clouds = 1 + 0.1 * fractal(rng, coarse, coarse[1] / 2, 0.4)
    if climate.day:
        return (clouds[..., None] * (tint * rng.uniform(0.65, 1.15))).astype(np.float32)
    light = clouds[..., None] * (tint * (0.85, 0.95, 1.15) * rng.uniform(0.18, 0.45))
    rows, columns = np.ogrid[: coarse[0], : coarse[1]]
    for _ in range(int(rng.integers(0, 5))):
        y, x, radius = (
            rng.uniform(0, coarse[0]),
            rng.uniform(0, coarse[1]),
            coarse[0] * rng.uniform(0.1, 0.35),
        )
        pool = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * radius**2))
        light = light + pool[..., None] * (np.array([1.0, 0.85, 0.55]) * rng.uniform(0.2, 0.7))
    return light.astype(np.float32)


def paint_backdrop(
    rng: np.random.Generator, climate: Climate, kind: str, shape: tuple[int, int], unit: float
) -> Backdrop:
    """Paint a place.

    Args:
        rng: source of randomness.
        climate: weather.
        kind: one of `LAYOUTS`.
        shape: (height, width) of the backdrop, px.
        unit: px of this world over px of a 240 x 180 one.
    """
    canvas = np.empty((*shape, 4), np.float32)
    horizon = LAYOUTS[kind](rng, canvas, climate, unit)
    return Backdrop(canvas, _light(rng, shape, climate), kind, horizon)
