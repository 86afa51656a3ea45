"""Movement over time: smooth curves, wandering paths, and the camera."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .sprite import Affine

Curve = NDArray[np.float64]


def smooth(rng: np.random.Generator, length: int, low: float, high: float, pace: float = 12.0) -> Curve:
    """A smooth random curve (length,) between two bounds; it changes its mind about every `pace` frames."""
    knots = math.ceil(length / pace) + 2
    values = rng.uniform(low, high, knots)
    at = np.arange(length) / pace + rng.uniform(0, 1)
    left = np.minimum(at.astype(int), knots - 2)
    blend = (1 - np.cos(np.pi * np.clip(at - left, 0, 1))) / 2
    return values[left] + (values[left + 1] - values[left]) * blend


def wander(
    rng: np.random.Generator,
    start: tuple[float, float],
    speed: Curve,
    bounds: tuple[float, float, float, float],
    level: float = 0.0,
    bend: float = 0.1,
) -> Curve:
    """A path that turns at random and keeps within bounds.

    Args:
        rng: source of randomness.
        start: (x, y).
        speed: distance covered in each frame (length,), px.
        bounds: (x0, y0, x1, y1); the path is steered back and, at the bounds, stopped.
        level: 0 moves in all directions, near 1 mostly sideways.
        bend: standard deviation of the change of heading a frame, radians.

    Returns:
        float64 (length, 2).
    """
    x0, y0, x1, y1 = bounds
    x, y = min(max(start[0], x0), x1), min(max(start[1], y0), y1)
    heading, turn = rng.uniform(0, 2 * math.pi), 0.0
    path = np.empty((len(speed), 2))
    nudges = rng.normal(0, bend, len(speed))
    for t, step in enumerate(speed):
        path[t] = x, y
        turn = 0.8 * turn + nudges[t]
        heading += turn
        dx, dy = math.cos(heading), math.sin(heading) * (1 - level)
        margin_x, margin_y = max((x1 - x0) * 0.15, 4 * step), max((y1 - y0) * 0.15, 4 * step)
        if (x < x0 + margin_x and dx < 0) or (x > x1 - margin_x and dx > 0):
            dx *= -0.3 if min(x - x0, x1 - x) < step else 0.6
            heading = math.atan2(math.sin(heading), dx)
        if (y < y0 + margin_y and dy < 0) or (y > y1 - margin_y and dy > 0):
            dy *= -0.3 if min(y - y0, y1 - y) < step else 0.6
            heading = math.atan2(dy / max(1 - level, 0.1), dx)
        x, y = min(max(x + dx * step, x0), x1), min(max(y + dy * step, y0), y1)
    return path


def headings(path: Curve, window: int = 5) -> Curve:
    """Velocity of a path (length, 2), averaged over a few frames, px a frame."""
    if len(path) < 2:
        return np.zeros_like(path)
    step = np.gradient(path, axis=0)
    kernel = np.ones(min(window, len(path))) / min(window, len(path))
    padded = np.pad(step, ((len(kernel) // 2, (len(kernel) - 1) // 2), (0, 0)), mode='edge')
    return np.column_stack([np.convolve(padded[:, k], kernel, mode='valid') for k in range(2)])


def camera(
    rng: np.random.Generator, length: int, frame: tuple[int, int], place: tuple[int, int], unit: float
) -> list[Affine]:
    """A camera that pans, and sometimes shakes, rolls a little and zooms a little.

    Args:
        rng: source of randomness.
        length: frames.
        frame: (height, width) of the image, px.
        place: (height, width) of the backdrop, px.
        unit: px of this world over px of a 240 x 180 one.

    Returns:
        For each frame the matrix from backdrop px to image px, continuous coordinates.
    """
    half = np.array([frame[1], frame[0]]) / 2
    room = np.array([place[1], place[0]]) - 2 * half
    start = half + rng.uniform(0.15, 0.85, 2) * room
    fixed = rng.random() < 0.3
    pace = np.zeros(length) if fixed else smooth(rng, length, 0, rng.uniform(0.3, 2.2) * unit, 15)
    low, high = half + 0.08 * room, half + 0.92 * room
    centre = wander(rng, (float(start[0]), float(start[1])), pace, (low[0], low[1], high[0], high[1]), 0.7)
    shake = 0.0 if fixed or rng.random() < 0.5 else rng.uniform(0.2, 0.9) * unit
    centre = centre + rng.normal(0, 1, (length, 2)) * shake
    hand = rng.random() < 0.35
    roll = smooth(rng, length, -0.03, 0.03, 20) * hand
    zoom = 1 + smooth(rng, length, -0.06, 0.06, 20) * hand
    matrices = []
    for t in range(length):
        c, s = zoom[t] * math.cos(roll[t]), zoom[t] * math.sin(roll[t])
        linear = np.array([[c, -s], [s, c]])
        matrices.append(np.column_stack([linear, half - linear @ centre[t]]))
    return matrices
