"""Temperatures: what the thermal camera sees. Nothing here knows a colour.

Background materials follow the weather (sun-warmed asphalt, cold sky); bodies make their own heat; machines
have hot parts. Values are degrees Celsius of apparent temperature, drawn afresh for each world and object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Material: (offset from the air by day, by night, spread of both, standard deviation of its texture), in K.
_MATERIALS: dict[str, tuple[float, float, float, float]] = {
    'sky': (-9, -10, 7, 1.0),
    'cloud': (-4, -5, 3, 0.9),
    'asphalt': (9, 3, 4, 0.5),
    'concrete': (7, 2, 4, 0.5),
    'marking': (5, 2, 3, 0.3),
    'grass': (2, -3, 3, 0.9),
    'soil': (7, -1, 4, 1.0),
    'foliage': (0, -0.5, 1.5, 0.9),
    'trunk': (1, 0.5, 2, 0.5),
    'wall': (5, 3, 5, 0.5),
    'roof': (9, -5, 6, 0.7),
    'window': (-3, 2, 4, 0.4),
    'metal': (3, -3, 5, 0.5),
    'water': (-4, 3, 2, 0.4),
    'rock': (6, 1, 4, 1.0),
}

# Part of a body: range of the share of body heat that reaches its surface (0: air, 1: bare skin or snout).
_LIVING: dict[str, tuple[float, float]] = {
    'skin': (0.85, 1.0),
    'hair': (0.35, 0.7),
    'top': (0.25, 0.7),
    'bottom': (0.25, 0.65),
    'shoe': (0.1, 0.4),
    'bag': (0.0, 0.3),
    'fur': (0.35, 0.7),
    'limb': (0.3, 0.75),
    'face': (0.6, 0.95),
    'feather': (0.2, 0.5),
}

# Part of a machine or thing: range of the offset from the air by day, and by night, in K.
_MADE: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    'body': ((-1, 12), (-4, 4)),
    'hood': ((2, 18), (0, 14)),
    'cabin': ((-1, 10), (-4, 4)),
    'glass': ((-8, 4), (-6, 3)),
    'tyre': ((4, 16), (0, 12)),
    'light': ((0, 12), (0, 14)),
    'engine': ((10, 30), (8, 28)),
    'motor': ((6, 26), (4, 24)),
    'rotor': ((-1, 4), (-3, 3)),
    'frame': ((-1, 8), (-3, 4)),
    'load': ((-3, 10), (-5, 5)),
    'shell': ((-10, 18), (-9, 14)),
    'patch': ((-12, 22), (-10, 18)),
}


@dataclass(frozen=True)
class Climate:
    """The weather of one world.

    Attributes:
        day: sun-lit, else night (in both views).
        air: air temperature, degrees Celsius.
        materials: temperature of each background material in this world.
    """

    day: bool
    air: float
    materials: dict[str, float]

    def texture(self, material: str) -> float:
        """Standard deviation (K) of the temperature texture of a background material."""
        return _MATERIALS[material][3] * (1.0 if self.day else 0.6)


def draw_climate(rng: np.random.Generator, night: bool) -> Climate:
    """Draw the weather: air temperature and, from it, every background material."""
    air = float(rng.uniform(-2, 18) if night else rng.uniform(4, 29))
    materials = {
        name: air + (by_night if night else by_day) + float(rng.normal(0, spread / 2))
        for name, (by_day, by_night, spread, _) in _MATERIALS.items()
    }
    return Climate(not night, air, materials)


def part_temperature(rng: np.random.Generator, climate: Climate, part: str) -> tuple[float, float]:
    """Two temperatures that a part's thermal pattern mixes.

    Args:
        rng: source of randomness.
        climate: weather.
        part: name of a part of a body, machine or thing.

    Returns:
        (base, other), degrees Celsius. Independent of the colours of the part.

    Raises:
        KeyError: a part without a temperature.
    """
    if part in _LIVING:
        low, high = _LIVING[part]
        core = rng.uniform(31, 35)
        base = climate.air + (core - climate.air) * rng.uniform(low, high)
        return float(base), float(base + rng.normal(0, 1.0))
    low, high = _MADE[part][0 if climate.day else 1]
    base = climate.air + rng.uniform(low, high)
    return float(base), float(base + rng.normal(0, 1.8))


def known_parts() -> frozenset[str]:
    """Names of all parts that have a temperature."""
    return frozenset(_LIVING) | frozenset(_MADE)
