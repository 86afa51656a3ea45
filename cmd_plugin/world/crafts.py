"""Figures that are made and do not run on roads: boats, drones, aircraft, and nameless things."""

from __future__ import annotations

import numpy as np

from .shapes import Figure, Part, at, box, disc, limb, oval, part, polar


def boat(rng: np.random.Generator) -> Figure:
    """A boat with a cabin and perhaps a mast."""
    deep, house = rng.uniform(0.08, 0.14), rng.uniform(0.1, 0.2)
    left = rng.uniform(-0.35, -0.1)
    hull = np.array([(-0.5, 0), (0.5, -0.03), (0.38, deep), (-0.44, deep)])
    parts = [
        part('load', box(left, -house, left + 0.35, 0.01, 0.02)),
        part('glass', box(left + 0.2, -house * 0.85, left + 0.33, -house * 0.4)),
        part('body', hull),
        part('engine', box(-0.5, -0.04, -0.42, deep * 0.6, 0.01)),
    ]
    if rng.random() < 0.6:
        parts.insert(
            0,
            part(
                'frame',
                limb(at(left + 0.15, 0), at(left + 0.12, -house - rng.uniform(0.1, 0.3)), 0.015, 0.012),
            ),
        )
    return Figure('boat', (tuple(parts),), turn=8)


def drone(rng: np.random.Generator) -> Figure:
    """A multi-rotor drone; the rotors blink through three poses."""
    reach, droop, thick = 0.42, rng.uniform(0.04, 0.16), rng.uniform(0.04, 0.06)
    hub, inner = rng.uniform(0.1, 0.16), rng.random() < 0.5
    poses: list[tuple[Part, ...]] = []
    arms = (-1.0, 1.0, -0.45, 0.45) if inner else (-1.0, 1.0)
    for blur in (0.16, 0.13, 0.09):
        parts: list[Part] = []
        for a in arms:
            end = at(a * reach, -droop)
            parts += [
                part('frame', limb(at(0, 0), end, thick, thick * 0.7)),
                part('motor', box(end[0] - 0.045, end[1] - 0.06, end[0] + 0.045, end[1] + 0.035)),
                part('rotor', oval(end[0], end[1] - 0.07, blur, 0.022)),
            ]
        parts += [part('frame', limb(at(s * 0.08, 0.02), at(s * 0.15, 0.2), 0.022, 0.022)) for s in (-1, 1)]
        parts += [
            part('body', oval(0, 0, hub * 1.3, hub * 0.8)),
            part('motor', oval(0, -0.01, hub * 0.7, hub * 0.4)),
        ]
        poses.append(tuple(parts))
    return Figure('drone', tuple(poses), turn=18, flies=True, sided=False)


def aircraft(rng: np.random.Generator) -> Figure:
    """An aeroplane from below, or a helicopter from the side."""
    if rng.random() < 0.5:
        sweep, chord = rng.uniform(0.05, 0.25), rng.uniform(0.08, 0.14)
        parts = [
            part(
                'body',
                np.array([(chord, 0), (-sweep, s * 0.45), (-sweep - chord * 0.7, s * 0.45), (-chord, 0)]),
            )
            for s in (-1, 1)
        ]
        parts += [part('body', np.array([(-0.38, 0), (-0.48, s * 0.16), (-0.5, 0)])) for s in (-1, 1)]
        parts += [
            part('load', limb(at(-0.45, 0), at(0.42, 0), 0.035, 0.055)),
            part('glass', oval(0.4, 0, 0.04, 0.03)),
        ]
        parts += [part('engine', oval(-0.02, s * 0.17, 0.06, 0.03)) for s in (-1, 1)]
        return Figure('aircraft', (tuple(parts),), turn=25, flies=True, sided=False)
    poses = []
    for blade in (0.42, 0.2, 0.34):
        poses.append(
            (
                part('frame', limb(at(-0.05, 0), at(-0.48, -0.06), 0.05, 0.02)),
                part('rotor', oval(-0.48, -0.06, 0.05, 0.07)),
                part('body', oval(0.12, 0.02, 0.22, 0.12)),
                part('glass', oval(0.24, 0, 0.09, 0.07)),
                part('engine', oval(0.03, -0.08, 0.1, 0.05)),
                part('rotor', box(-blade + 0.1, -0.165, blade + 0.1, -0.135)),
                part('frame', box(0, 0.17, 0.28, 0.195)),
            )
        )
    return Figure('helicopter', tuple(poses), turn=12, flies=True)


def thing(rng: np.random.Generator) -> Figure:
    """Something without a name: a blob, a star or a polygon with a few patches."""
    style = rng.integers(3)
    if style == 0:
        t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        radii = 0.4 + sum(rng.normal(0, 0.11 / k) * np.cos(k * t + rng.uniform(0, 6)) for k in (2, 3, 4))
    elif style == 1:
        radii = np.tile([0.5, rng.uniform(0.2, 0.35)], int(rng.integers(4, 7)))
    else:
        radii = rng.uniform(0.3, 0.5, int(rng.integers(3, 8)))
    outline = polar(0, 0, np.asarray(radii)) * at(1, rng.uniform(0.55, 1.0))
    parts = [part('shell', outline)]
    inner = outline * 0.7
    for _ in range(int(rng.integers(1, 5))):
        middle = inner[rng.integers(len(inner))] * rng.uniform(0.1, 0.9)
        parts.append(
            part('patch', disc(middle, rng.uniform(0.05, 0.13), rng.uniform(0.05, 0.13), rng.uniform(0, 3)))
        )
    return Figure('thing', (tuple(parts),), turn=35, flies=bool(rng.random() < 0.5), sided=False)
