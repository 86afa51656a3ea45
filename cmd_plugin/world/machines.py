"""Figures that are made and run on roads, from the side, from either end and from above."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .shapes import Figure, box, oval, part


def car(rng: np.random.Generator) -> Figure:
    """A car from the side: saloon, estate or pick-up."""
    tall, hood, boot = rng.uniform(0.15, 0.21), rng.uniform(0.16, 0.26), rng.uniform(0.02, 0.2)
    slope, wheel, deck = rng.uniform(0.06, 0.14), rng.uniform(0.075, 0.095), rng.uniform(0.11, 0.15)
    roof, belt = -deck - tall + 0.06, -deck + 0.03
    front, rear = 0.5 - hood, -0.5 + boot
    cabin = np.array([(rear, belt), (rear + slope * 0.6, roof), (front - slope, roof), (front, belt)])
    parts = [
        part('body', box(-0.5, belt, 0.5, deck * 0.75, 0.035)),
        part('cabin', cabin),
        part('hood', box(front + 0.01, belt + 0.005, 0.49, belt + deck * 0.8, 0.03)),
    ]
    middle = (rear + front) / 2 + rng.uniform(-0.05, 0.05)
    inset = 0.02
    for left, right, skew_l, skew_r in (
        (rear + inset * 2, middle - 0.01, slope * 0.6, 0.0),
        (middle + 0.01, front - inset * 2, 0.0, -slope),
    ):
        parts.append(
            part(
                'glass',
                np.array(
                    [
                        (left, belt),
                        (left + skew_l, roof + inset),
                        (right + skew_r, roof + inset),
                        (right, belt),
                    ]
                ),
            )
        )
    for x in (-0.3, 0.31):
        parts += [
            part('tyre', oval(x, deck * 0.75, wheel, wheel)),
            part('frame', oval(x, deck * 0.75, wheel * 0.5, wheel * 0.5)),
        ]
    parts += [
        part('light', oval(0.475, belt + 0.05, 0.025, 0.025)),
        part('light', oval(-0.48, belt + 0.05, 0.02, 0.03)),
        part('engine', oval(-0.47, deck * 0.75, 0.03, 0.015)),
    ]
    return Figure('car', (tuple(parts),), turn=6)


def car_end(rng: np.random.Generator) -> Figure:
    """A car from the front or from behind."""
    wide, tall, taper = 0.5, rng.uniform(0.36, 0.5), rng.uniform(0.06, 0.14)
    belt = -tall * 0.1
    cabin = np.array(
        [(-wide * 0.9, belt), (-wide + taper + 0.05, -tall), (wide - taper - 0.05, -tall), (wide * 0.9, belt)]
    )
    glass = np.array(
        [
            (-wide * 0.75, belt - 0.02),
            (-wide + taper + 0.12, -tall + 0.05),
            (wide - taper - 0.12, -tall + 0.05),
            (wide * 0.75, belt - 0.02),
        ]
    )
    parts = [
        part('tyre', box(s * 0.38 - 0.07, tall * 0.4, s * 0.38 + 0.07, tall * 0.85, 0.02)) for s in (-1, 1)
    ]
    parts += [
        part('cabin', cabin),
        part('body', box(-wide, belt, wide, tall * 0.62, 0.06)),
        part('glass', glass),
        part('hood', box(-0.25, belt + 0.08, 0.25, belt + 0.08 + tall * 0.25, 0.02)),
    ]
    parts += [part('light', oval(s * 0.4, belt + 0.13, 0.075, 0.055)) for s in (-1, 1)]
    parts += [
        part('frame', box(-0.4, tall * 0.5, 0.4, tall * 0.6)),
        part('engine', oval(rng.choice([-0.3, 0.3]), tall * 0.62, 0.05, 0.03)),
    ]
    return Figure('car', (tuple(parts),), turn=5, sided=False)


def car_top(rng: np.random.Generator) -> Figure:
    """A car or a van from above; it turns with its heading."""
    wide, van = rng.uniform(0.19, 0.25), rng.random() < 0.3
    windscreen = rng.uniform(0.12, 0.2)
    parts = [
        part('body', box(-0.5, -wide, 0.5, wide, 0.06)),
        part('hood', box(windscreen + 0.1, -wide * 0.85, 0.47, wide * 0.85, 0.04)),
        part(
            'glass',
            np.array(
                [
                    (windscreen, -wide * 0.75),
                    (windscreen + 0.1, -wide * 0.9),
                    (windscreen + 0.1, wide * 0.9),
                    (windscreen, wide * 0.75),
                ]
            ),
        ),
        part(
            'load' if van else 'cabin',
            box(-0.46 if van else -0.25, -wide * 0.8, windscreen - 0.01, wide * 0.8, 0.03),
        ),
    ]
    if not van:
        parts.append(part('glass', box(-0.34, -wide * 0.75, -0.26, wide * 0.75, 0.02)))
    return Figure('car', (tuple(parts),), turn=40, sided=False)


def truck(rng: np.random.Generator) -> Figure:
    """A lorry, a van or a bus from the side."""
    tall, cab = rng.uniform(0.17, 0.27), rng.uniform(0.14, 0.24)
    bus, wheel = rng.random() < 0.4, rng.uniform(0.05, 0.065)
    gap = 0.0 if bus else rng.uniform(0.0, 0.03)
    load_top = -tall - (0 if bus else rng.uniform(0, 0.08))
    parts = [
        part('frame', box(-0.49, tall * 0.4, 0.49, tall * 0.55)),
        part('load', box(-0.5, load_top, 0.5 - cab - gap, tall * 0.45, 0.015)),
        part('body', box(0.5 - cab, -tall * 0.9, 0.5, tall * 0.45, 0.03)),
        part('glass', box(0.5 - cab * 0.55, -tall * 0.75, 0.49, -tall * 0.1, 0.015)),
        part('hood', box(0.5 - cab * 0.7, tall * 0.0, 0.495, tall * 0.4, 0.015)),
    ]
    if bus:
        count = int(rng.integers(4, 7))
        edges = np.linspace(-0.47, 0.5 - cab, count + 1)
        parts += [
            part('glass', box(a + 0.01, -tall * 0.75, b - 0.01, -tall * 0.1)) for a, b in pairwise(edges)
        ]
    axles = [-0.38, 0.5 - cab * 0.5] + ([-0.24] if rng.random() < 0.5 else [])
    parts += [part('tyre', oval(x, tall * 0.55, wheel, wheel)) for x in axles]
    parts.append(part('engine', oval(0.5 - cab - 0.04, tall * 0.5, 0.03, 0.018)))
    return Figure('bus' if bus else 'truck', (tuple(parts),), turn=5)
