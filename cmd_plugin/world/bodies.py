"""Figures that live: people, cyclists, four-legged animals, birds. Their poses make one cycle of a gait."""

from __future__ import annotations

import numpy as np

from .shapes import Figure, Part, Points, at, disc, joint, limb, oval, part, ring

GAIT = 6
"""Poses in one cycle."""


def _phases(count: int = GAIT) -> list[float]:
    return [2 * np.pi * k / count for k in range(count)]


def _leg(hip: Points, swing: float, bend: float, length: float, r: float) -> tuple[Points, Points, Points]:
    """Outlines of thigh and shank, and the ankle (2,)."""
    knee = joint(hip, swing, length / 2)
    ankle = joint(knee, swing - bend, length / 2)
    return limb(hip, knee, r, r * 0.75), limb(knee, ankle, r * 0.75, r * 0.5), ankle


def _arm(side: int, chest: Points, sway: float, wide: float, stout: float, bare: bool) -> list[Part]:
    """One arm of a person; it swings against the leg of its side."""
    shoulder = chest + at(side * wide * 1.9, 0.02)
    elbow = joint(shoulder, -side * sway * 0.9 + side * wide, 0.15)
    hand = joint(elbow, -side * sway * 0.9 + 0.25, 0.14)
    return [
        part('top', limb(shoulder, elbow, 0.04 * stout, 0.033 * stout)),
        part('skin' if bare else 'top', limb(elbow, hand, 0.03 * stout, 0.02)),
        part('skin', disc(hand, 0.024, 0.026)),
    ]


def person(rng: np.random.Generator) -> Figure:
    """A walking person, seen from the side or from the front, perhaps with skirt, bag or hat."""
    stout, stride = rng.uniform(0.75, 1.35), rng.uniform(0.25, 0.55)
    head, legs, lean = rng.uniform(0.065, 0.085), rng.uniform(0.42, 0.5), rng.normal(0, 0.05)
    skirt, bag, hat, bare = rng.random() < 0.2, rng.random() < 0.35, rng.random() < 0.25, rng.random() < 0.35
    shorts = rng.random() < 0.25
    front = rng.random() < 0.4
    poses: list[tuple[Part, ...]] = []
    hip_y, chest_y = 0.5 - legs, 0.5 - legs - 0.3
    for phase in _phases():
        parts: list[Part] = []
        sway = np.sin(phase) * stride * (0.35 if front else 1.0)
        wide = 0.055 * stout if front else 0.015
        chest, hip = at(lean, chest_y), at(0, hip_y)

        parts += _arm(-1, chest, sway, wide, stout, bare)
        for side in (-1, 1):
            bend = 0.5 * max(0.0, -np.cos(phase) * side) * stride * 2
            thigh, shank, ankle = _leg(hip + at(side * wide, 0), side * sway, bend, legs - 0.03, 0.06 * stout)
            parts += [
                part('bottom', thigh),
                part('skin' if skirt or shorts else 'bottom', shank),
                part('shoe', oval(ankle[0] + 0.02, ankle[1] + 0.01, 0.05, 0.025)),
            ]
        if skirt:
            flare = 0.11 * stout
            parts.append(
                part(
                    'bottom',
                    np.array(
                        [
                            (-0.07, hip_y - 0.03),
                            (0.07, hip_y - 0.03),
                            (flare, hip_y + 0.2),
                            (-flare, hip_y + 0.2),
                        ],
                        float,
                    ),
                )
            )
        width = (0.11 if front else 0.085) * stout
        parts.append(part('top', limb(chest, hip, width, width * 0.8)))
        if bag:
            parts.append(part('bag', oval(lean - (0 if front else width), chest_y + 0.1, 0.07, 0.11)))
        top = at(lean * 1.5, chest_y - 0.06 - head)
        parts += [part('skin', limb(chest, top, 0.03, 0.03)), part('skin', disc(top, head * 0.85, head))]
        cap = 'bag' if hat else 'hair'
        parts.append(part(cap, oval(top[0] - 0.012, top[1] - head * 0.45, head * 0.85, head * 0.6)))
        poses.append((*parts, *_arm(1, chest, sway, wide, stout, bare)))
    return Figure('person', tuple(poses), turn=7)


def cyclist(rng: np.random.Generator) -> Figure:
    """A rider on a bicycle or a motorcycle."""
    motor = rng.random() < 0.5
    wheel, base, lean = rng.uniform(0.17, 0.21), rng.uniform(0.28, 0.33), rng.uniform(0.05, 0.2)
    poses: list[tuple[Part, ...]] = []
    for phase in _phases():
        ground, seat, bar = 0.5, at(-0.1, 0.08), at(0.2, 0.05)
        parts = [
            part('tyre', *ring(s * base, ground - wheel, wheel, wheel * (0.45 if motor else 0.75)))
            for s in (-1, 1)
        ]
        crank = at(0, 0.3)
        for a, b in ((at(-base, 0.3), crank), (crank, bar), (seat, crank), (seat, bar), (at(base, 0.3), bar)):
            parts.append(part('frame', limb(a, b, 0.022, 0.022)))
        if motor:
            parts += [
                part('body', oval(0.06, 0.12, 0.19, 0.075)),
                part('engine', oval(0.02, 0.26, 0.11, 0.09)),
            ]
        shoulder = at(0.02 + lean, -0.22)
        for side in (0.0, np.pi):
            turn = 0.0 if motor else phase + side
            foot = crank + 0.08 * at(np.cos(turn), np.sin(turn))
            knee = (seat + foot) / 2 + at(0.1, -0.05)
            parts += [
                part('bottom', limb(seat, knee, 0.055, 0.045)),
                part('bottom', limb(knee, foot, 0.04, 0.03)),
                part('shoe', oval(foot[0] + 0.02, foot[1], 0.045, 0.022)),
            ]
        head = shoulder + at(0.05, -0.13)
        parts += [
            part('top', limb(seat, shoulder, 0.085, 0.09)),
            part('top', limb(shoulder, bar, 0.038, 0.03)),
            part('skin', disc(head, 0.07, 0.08)),
            part('bag', oval(head[0], head[1] - 0.04, 0.075, 0.055)),
        ]
        poses.append(tuple(parts))
    return Figure('motorcycle' if motor else 'bicycle', tuple(poses), turn=9)


def animal(rng: np.random.Generator) -> Figure:
    """A four-legged animal between dog and horse."""
    long, deep, legs = rng.uniform(0.22, 0.34), rng.uniform(0.09, 0.15), rng.uniform(0.18, 0.36)
    neck, rise, thick = rng.uniform(0.08, 0.24), rng.uniform(0.3, 1.1), rng.uniform(0.02, 0.035)
    snout, horns, stride = rng.uniform(0.05, 0.1), rng.random() < 0.25, rng.uniform(0.3, 0.7)
    tail = rng.uniform(0.1, 0.25)
    poses: list[tuple[Part, ...]] = []
    for phase in _phases():
        parts: list[Part] = []
        for x, shift in (
            (-long, 0.0),
            (long * 0.85, np.pi / 2),
            (-long * 0.85, np.pi),
            (long, 3 * np.pi / 2),
        ):
            swing = np.sin(phase + shift) * stride
            thigh, shank, _ = _leg(
                at(x, deep * 0.3), swing, 0.5 * max(0.0, np.cos(phase + shift)), legs, thick * 1.6
            )
            parts += [part('fur', thigh), part('limb', shank)]
        wag = 0.6 + 0.3 * np.sin(phase)
        parts.append(
            part('fur', limb(at(-long, -deep * 0.4), joint(at(-long, -deep * 0.4), -wag, tail), 0.02, 0.012))
        )
        parts.append(part('fur', limb(at(-long, 0), at(long, -0.01), deep * 0.95, deep)))
        poll = at(long, -deep * 0.4) + neck * at(np.cos(rise), -np.sin(rise))
        nose = poll + at(snout * 1.6, snout * 0.6)
        parts += [
            part('fur', limb(at(long, -deep * 0.3), poll, deep * 0.6, snout * 0.8)),
            part('face', limb(poll, nose, snout * 0.8, snout * 0.45)),
        ]
        for k in (-0.02, 0.03):
            ear = poll + at(k, -snout * 0.7)
            tip = ear + at(k, -0.12 if horns else -0.05)
            parts.append(part('fur', limb(ear, tip, 0.018, 0.008)))
        poses.append(tuple(parts))
    return Figure('animal', tuple(poses), turn=8)


def bird(rng: np.random.Generator) -> Figure:
    """A bird on the wing."""
    span, chord, long = rng.uniform(0.25, 0.4), rng.uniform(0.08, 0.13), rng.uniform(0.16, 0.26)
    poses: list[tuple[Part, ...]] = []
    for phase in _phases(2 * GAIT):
        lift = np.sin(phase) * 0.4
        parts: list[Part] = []
        for side in (-1.0, 1.0):
            tip = at(side * 0.06 - 0.1, -span * np.sin(lift) + side * 0.05)
            tip = tip + at(side * span * 0.75 * np.cos(lift), 0)
            root = at(side * 0.03, 0)
            parts.append(
                part(
                    'feather',
                    np.array(
                        [
                            root + at(chord, 0),
                            tip + at(chord * 0.3, 0),
                            tip - at(chord * 0.4, 0),
                            root - at(chord, 0),
                        ]
                    ),
                )
            )
        parts += [
            part('feather', np.array([(-long, -0.05), (-long * 0.5, 0), (-long, 0.06)], float)),
            part('fur', oval(0, 0, long * 0.75, 0.065)),
            part('face', oval(long * 0.75, -0.03, 0.05, 0.045)),
        ]
        poses.append(tuple(parts))
    return Figure('bird', tuple(poses), turn=15, flies=True)
