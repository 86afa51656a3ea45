"""What objects wear: colours for the RGB view and, drawn apart, temperatures for the thermal view."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from .noise import LEVELS, ByteImage, pattern
from .thermal import Climate, part_temperature

Colour = tuple[float, float, float]

_COLOUR_PATTERNS = (
    'plain',
    'stripes',
    'stripes',
    'checks',
    'patches',
    'patches',
    'speckle',
    'dots',
    'halves',
)
_THERMAL_PATTERNS = ('plain', 'patches', 'patches', 'speckle', 'halves')

# Parts whose colour is not free: (hue range, saturation range, value range).
_PALETTES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    'skin': ((0.04, 0.09), (0.3, 0.6), (0.35, 0.95)),
    'hair': ((0.03, 0.12), (0.1, 0.6), (0.05, 0.5)),
    'shoe': ((0, 1), (0, 0.3), (0.05, 0.8)),
    'fur': ((0.02, 0.13), (0.1, 0.6), (0.1, 0.95)),
    'limb': ((0.02, 0.13), (0.1, 0.6), (0.1, 0.9)),
    'face': ((0.02, 0.13), (0.1, 0.6), (0.1, 0.95)),
    'feather': ((0.0, 0.2), (0.0, 0.5), (0.05, 1.0)),
    'glass': ((0.5, 0.65), (0.1, 0.4), (0.1, 0.45)),
    'tyre': ((0, 1), (0, 0.15), (0.05, 0.2)),
    'engine': ((0, 1), (0, 0.2), (0.15, 0.5)),
    'motor': ((0, 1), (0, 0.3), (0.1, 0.5)),
    'rotor': ((0, 1), (0, 0.2), (0.3, 0.6)),
    'light': ((0.0, 0.15), (0.1, 0.9), (0.8, 1.0)),
}
_PATTERNED = frozenset({'top', 'bottom', 'bag', 'body', 'load', 'shell', 'patch', 'fur', 'feather', 'cabin'})
_SAME_PAINT = {'hood': 'body', 'cabin': 'body', 'limb': 'fur', 'face': 'fur'}


@dataclass(frozen=True)
class Surface:
    """Look and warmth of one part.

    Attributes:
        colours: two RGB colours, 0 ... 255, mixed by a pattern.
        weave: index of the colour pattern.
        warmth: two temperatures (degrees Celsius), mixed by another pattern.
        patchwork: index of the thermal pattern.
    """

    colours: tuple[Colour, Colour]
    weave: int
    warmth: tuple[float, float]
    patchwork: int


class PatternPool:
    """Patterns shared by the objects of one world; index 0 is plain.

    Args:
        rng: source of randomness.
        side: px of the patterns that will be asked for.
        rich: number of colour patterns and of thermal patterns.
    """

    def __init__(self, rng: np.random.Generator, side: int, rich: int = 9) -> None:
        self._large = side + side // 3
        self.weaves = self._draw(rng, _COLOUR_PATTERNS, rich)
        self.patchworks = self._draw(rng, _THERMAL_PATTERNS, rich // 2 + 1)

    def _draw(self, rng: np.random.Generator, kinds: tuple[str, ...], count: int) -> list[ByteImage]:
        chosen = ['plain', *(str(k) for k in rng.choice(kinds, count))]
        return [pattern(rng, kind, self._large) for kind in chosen]

    def cut(self, rng: np.random.Generator, image: ByteImage, side: int) -> ByteImage:
        """A randomly placed square of a pattern, (side, side)."""
        top, left = rng.integers(self._large - side + 1, size=2)
        return np.ascontiguousarray(image[top : top + side, left : left + side])


def draw_colour(rng: np.random.Generator, name: str = '') -> Colour:
    """Draw an RGB colour (0 ... 255): a natural one for parts that have one, else any."""
    if name in _PALETTES:
        hue, saturation, value = (float(rng.uniform(*bounds)) for bounds in _PALETTES[name])
    else:
        hue, value = float(rng.uniform()), float(rng.uniform(0.12, 1.0))
        saturation = float(rng.uniform(0, 0.25) if rng.random() < 0.35 else rng.uniform(0.3, 1.0))
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return 255 * r, 255 * g, 255 * b


def dress(
    rng: np.random.Generator, climate: Climate, names: Iterable[str], pool: PatternPool
) -> dict[str, Surface]:
    """Give every part of an object its surface.

    Args:
        rng: source of randomness.
        climate: weather; sets the temperatures.
        names: part names, in a fixed order.
        pool: patterns of this world.
    """
    worn: dict[str, Surface] = {}
    for name in names:
        base, other = draw_colour(rng, name), draw_colour(rng, name)
        weave = int(rng.integers(len(pool.weaves))) if name in _PATTERNED and rng.random() < 0.6 else 0
        patchwork = int(rng.integers(len(pool.patchworks)))
        warmth = part_temperature(rng, climate, name)
        twin = worn.get(_SAME_PAINT.get(name, ''))
        if twin is not None and rng.random() < 0.85:
            (base, other), weave = twin.colours, twin.weave
        worn[name] = Surface((base, other), weave, warmth, patchwork)
    return worn


def resemble(rng: np.random.Generator, worn: dict[str, Surface]) -> dict[str, Surface]:
    """Surfaces of a look-alike: colours about 12 levels and temperatures about 0.8 K off."""

    def near(colour: Colour) -> Colour:
        r, g, b = np.clip(np.asarray(colour) + rng.normal(0, 12, 3), 0, 255)
        return float(r), float(g), float(b)

    return {
        name: replace(
            s,
            colours=(near(s.colours[0]), near(s.colours[1])),
            warmth=(s.warmth[0] + float(rng.normal(0, 0.8)), s.warmth[1] + float(rng.normal(0, 0.8))),
        )
        for name, s in worn.items()
    }


def colour_table(surfaces: list[Surface]) -> ByteImage:
    """RGB0 of each label, uint8 (LEVELS * parts, 4); label = LEVELS * part + level."""
    table = np.zeros((LEVELS * len(surfaces), 4), np.uint8)
    for index, surface in enumerate(surfaces):
        a, b = (np.asarray(c) for c in surface.colours)
        for level in range(LEVELS):
            table[LEVELS * index + level, :3] = np.clip(a + (b - a) * level / (LEVELS - 1), 0, 255)
    return table


def warmth_table(surfaces: list[Surface]) -> np.ndarray:
    """Temperature of each label, float32 (LEVELS * parts,)."""
    levels = np.linspace(0, 1, LEVELS)
    return np.concatenate([s.warmth[0] + (s.warmth[1] - s.warmth[0]) * levels for s in surfaces]).astype(
        np.float32
    )
