"""Standing things: trees, bushes, buildings, poles, fences, and their materials; background and occluders."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import FloatImage, fractal
from .shapes import Points, box, limb, oval, polar
from .sprite import Patch, fill
from .surfaces import draw_colour
from .thermal import Climate

# Material: (mean RGB, spread of the colour, strength of the texture), levels 0 ... 255.
_COLOURS: dict[str, tuple[tuple[int, int, int], int, int]] = {
    'sky': ((165, 195, 230), 25, 5),
    'cloud': ((230, 232, 238), 12, 8),
    'asphalt': ((95, 95, 98), 22, 9),
    'concrete': ((165, 160, 150), 25, 10),
    'marking': ((235, 232, 215), 12, 5),
    'grass': ((95, 125, 60), 25, 22),
    'soil': ((140, 115, 85), 25, 18),
    'foliage': ((65, 95, 45), 25, 28),
    'trunk': ((90, 70, 50), 18, 14),
    'wall': ((165, 140, 120), 45, 8),
    'roof': ((125, 80, 65), 40, 12),
    'window': ((60, 75, 90), 20, 8),
    'metal': ((120, 122, 128), 40, 5),
    'water': ((70, 100, 120), 25, 14),
    'rock': ((130, 125, 118), 22, 18),
}

_IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def material(
    rng: np.random.Generator,
    climate: Climate,
    name: str,
    shape: tuple[int, int],
    cell: float = 24,
    free_colour: bool = False,
) -> FloatImage:
    """A textured area of one material; colour texture and thermal texture are drawn apart.

    Args:
        rng: source of randomness.
        climate: weather.
        name: material.
        shape: (height, width), px.
        cell: coarsest structure, px.
        free_colour: any colour instead of the natural one (painted things).

    Returns:
        rgbt float32 (height, width, 4).
    """
    mean, spread, strength = _COLOURS[name]
    colour = np.asarray(draw_colour(rng) if free_colour else mean, float)
    if not free_colour:
        colour += rng.normal(0, spread * 0.6) + rng.normal(0, 6, 3)
    rgbt = np.empty((*shape, 4), np.float32)
    texture = fractal(rng, shape, cell, float(rng.uniform(0.5, 0.85))) * np.float32(
        strength * rng.uniform(0.6, 1.4)
    )
    for channel in range(3):
        rgbt[..., channel] = texture * np.float32(rng.uniform(0.8, 1.2)) + np.float32(colour[channel])
    warmth = climate.materials[name] + float(rng.normal(0, 0.8))
    roughness = climate.texture(name) * float(rng.uniform(0.5, 1.5))
    rgbt[..., 3] = fractal(rng, shape, cell * 1.5, 0.55, 3.0) * np.float32(roughness) + np.float32(warmth)
    return rgbt


def lay(canvas: FloatImage, mask: NDArray[np.uint8], rgbt: FloatImage) -> None:
    """Blend a textured area into a canvas where the mask (uint8, 255 = all) says so, in place."""
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0 or height == 0:
        return
    region = (slice(y, y + height), slice(x, x + width))
    weight = (mask[region].astype(np.float32) * np.float32(1 / 255))[..., None]
    view = canvas[region]
    view += (rgbt[region] - view) * weight


def _mask(shape: tuple[int, int], *polygons: Points) -> NDArray[np.uint8]:
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        fill(mask, (polygon,), _IDENTITY, smooth=True)
    return mask


def _patch(canvas: FloatImage, mask: NDArray[np.uint8]) -> Patch:
    alpha = mask.astype(np.float32) * np.float32(1 / 255)
    return Patch(canvas * alpha[..., None], alpha)


def _crown(
    rng: np.random.Generator, shape: tuple[int, int], x: float, y: float, rx: float, ry: float
) -> NDArray[np.uint8]:
    """A ragged oval of leaves, uint8 mask."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    round_ = 1 - ((columns - x) / rx) ** 2 - ((rows - y) / ry) ** 2
    ragged = round_.astype(np.float32) + 0.33 * fractal(rng, shape, max(rx, ry) / 2, 0.75)
    return np.clip(ragged * 6 * 255, 0, 255).astype(np.uint8)


def tree(rng: np.random.Generator, climate: Climate, height: int) -> Patch:
    """A tree: trunk and ragged crown."""
    shape = (height, max(int(height * rng.uniform(0.45, 0.8)), 8))
    middle, thick = shape[1] / 2, max(height * rng.uniform(0.025, 0.05), 1.2)
    canvas = material(rng, climate, 'trunk', shape, height / 5)
    trunk = _mask(shape, box(middle - thick, height * 0.4, middle + thick, height + 1))
    crown = _crown(rng, shape, middle, height * 0.38, middle * 0.8, height * rng.uniform(0.3, 0.38))
    lay(canvas, crown, material(rng, climate, 'foliage', shape, height / 6))
    return _patch(canvas, np.maximum(trunk, crown))


def bush(rng: np.random.Generator, climate: Climate, height: int) -> Patch:
    """A bush: a crown that sits on the ground."""
    shape = (height, max(int(height * rng.uniform(1.2, 2.4)), 8))
    canvas = material(rng, climate, 'foliage', shape, height / 4)
    return _patch(canvas, _crown(rng, shape, shape[1] / 2, height * 0.62, shape[1] * 0.42, height * 0.5))


def rock(rng: np.random.Generator, climate: Climate, height: int) -> Patch:
    """A stone, a crate or another lump of any colour."""
    shape = (height, max(int(height * rng.uniform(0.8, 1.8)), 6))
    outline = polar(0.5, 0.5, rng.uniform(0.36, 0.5, int(rng.integers(4, 9)))) * np.array(
        [shape[1], shape[0]]
    )
    name, free = ('rock', False) if rng.random() < 0.5 else ('metal', True)
    return _patch(material(rng, climate, name, shape, height / 2, free), _mask(shape, outline))


def building(rng: np.random.Generator, climate: Climate, height: int) -> Patch:
    """A house front with rows of windows; by night some are lit."""
    shape = (height, max(int(height * rng.uniform(0.6, 1.8)), 12))
    canvas = material(rng, climate, 'wall', shape, height / 3)
    top = height * rng.uniform(0.06, 0.2)
    lay(canvas, _mask(shape, box(0, 0, shape[1], top)), material(rng, climate, 'roof', shape, height / 3))
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(2, 7))
    step_y, step_x = (height - top) / (rows + 0.4), shape[1] / columns
    dark = material(rng, climate, 'window', shape, height / 3)
    lit = dark + np.array([560, 480, 300, 4], np.float32)
    wide, tall = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.65)
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.12:
                continue
            y, x = top + (row + 0.25) * step_y, (column + 0.5 - wide / 2) * step_x
            pane = _mask(shape, box(x, y, x + wide * step_x, y + tall * step_y))
            lay(canvas, pane, lit if not climate.day and rng.random() < 0.25 else dark)
    outline = (
        box(0, 0, shape[1], height)
        if rng.random() < 0.6
        else np.array([(0, top), (shape[1] / 2, 0), (shape[1], top), (shape[1], height), (0, height)], float)
    )
    return _patch(canvas, _mask(shape, outline))


def pole(rng: np.random.Generator, climate: Climate, height: int, thick: float | None = None) -> Patch:
    """A post, lamp post or sign; `thick` is its width in px."""
    thick = float(rng.uniform(1.5, 4)) if thick is None else thick
    reach = max(height * 0.12, 5.0) if rng.random() < 0.5 else 0.0
    shape = (height, int(np.ceil(thick + 2 * reach)) + 2)
    middle = shape[1] / 2
    pieces = [box(middle - thick / 2, 1, middle + thick / 2, height + 1)]
    if reach:
        pieces.append(
            limb(np.array([middle, 4.0]), np.array([middle + reach - 2, 3.0]), 1.5, 2.0)
            if rng.random() < 0.5
            else oval(middle, reach, reach * 0.8, reach * 0.8, corners=int(rng.integers(3, 9)))
        )
    name = 'trunk' if rng.random() < 0.3 else 'metal'
    return _patch(material(rng, climate, name, shape, 16, rng.random() < 0.4), _mask(shape, *pieces))


def fence(rng: np.random.Generator, climate: Climate, height: int, width: int, gap: float) -> Patch:
    """Railings: bars about `gap` px apart, between two rails."""
    shape = (height, width)
    bar = float(np.clip(gap * rng.uniform(0.12, 0.3), 1.0, 5.0))
    pieces = [box(x, 1, x + bar, height + 1) for x in np.arange(1, width - bar, gap)]
    pieces += [box(0, height * k, width, height * k + bar) for k in (0.08, 0.75)]
    return _patch(material(rng, climate, 'metal', shape, 20, rng.random() < 0.5), _mask(shape, *pieces))
