"""Outlines: polygons in the unit frame of an object (x right, y down), and the figures that they make up."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One filled piece of an object.

    Attributes:
        name: what it is made of ('skin', 'tyre', ...); decides colours and temperature.
        contours: closed polygons (k, 2), filled by the even-odd rule (so two nested ones make a ring).
    """

    name: str
    contours: tuple[Points, ...]


@dataclass(frozen=True)
class Figure:
    """The geometry of one individual.

    Attributes:
        kind: class name ('person', 'car', ...).
        poses: parts of each pose in painting order; a gait runs through the poses.
        turn: largest in-plane rotation over a clip, degrees.
        flies: moves freely through the air (else it stands on the ground).
        sided: has a left and a right, and faces where it moves.
    """

    kind: str
    poses: tuple[tuple[Part, ...], ...]
    turn: float
    flies: bool = False
    sided: bool = True


def oval(x: float, y: float, rx: float, ry: float, angle: float = 0.0, corners: int = 18) -> Points:
    """Polygon (corners, 2) of an ellipse; angle in radians."""
    t = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    px, py = rx * np.cos(t), ry * np.sin(t)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([x + c * px - s * py, y + s * px + c * py], axis=1)


def disc(centre: Points, rx: float, ry: float, angle: float = 0.0, corners: int = 18) -> Points:
    """`oval` around a point (2,)."""
    return oval(float(centre[0]), float(centre[1]), rx, ry, angle, corners)


def box(x0: float, y0: float, x1: float, y1: float, round_: float = 0.0) -> Points:
    """Polygon of an upright rectangle; `round_` cuts the corners by that length."""
    if round_ <= 0:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)
    r = round_
    return np.array(
        [
            (x0 + r, y0),
            (x1 - r, y0),
            (x1, y0 + r),
            (x1, y1 - r),
            (x1 - r, y1),
            (x0 + r, y1),
            (x0, y1 - r),
            (x0, y0 + r),
        ],
        float,
    )


def limb(start: Points, end: Points, r0: float, r1: float) -> Points:
    """Polygon of a tapering limb between two joints (2,) with the radii at either end."""
    discs = np.concatenate([disc(start, r0, r0, corners=10), disc(end, r1, r1, corners=10)])
    return cv2.convexHull(discs.astype(np.float32))[:, 0].astype(float)


def ring(x: float, y: float, outer: float, inner: float) -> tuple[Points, ...]:
    """Two nested polygons: filled even-odd they make a ring."""
    return oval(x, y, outer, outer), oval(x, y, inner, inner, corners=14)


def polar(x: float, y: float, radii: Points) -> Points:
    """Polygon whose corners lie at the given radii, evenly spread over the circle."""
    t = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.stack([x + radii * np.cos(t), y + radii * np.sin(t)], axis=1)


def joint(start: Points, angle: float, length: float) -> Points:
    """End of a bone: `angle` 0 hangs straight down, positive swings to the right (radians)."""
    return start + length * np.array([np.sin(angle), np.cos(angle)])


def at(x: float, y: float) -> Points:
    """A point as an array (2,)."""
    return np.array([x, y], float)


def part(name: str, *contours: Points) -> Part:
    """A part of one or more contours."""
    return Part(name, contours)


def normalise(figure: Figure) -> Figure:
    """Scale and shift so that all poses together fit the square [-0.5, 0.5]^2, longest side 1."""
    points = np.concatenate([c for pose in figure.poses for p in pose for c in p.contours])
    low, high = points.min(axis=0), points.max(axis=0)
    middle, scale = (low + high) / 2, 1.0 / float((high - low).max())
    poses = tuple(
        tuple(Part(p.name, tuple((c - middle) * scale for c in p.contours)) for p in pose)
        for pose in figure.poses
    )
    return Figure(figure.kind, poses, figure.turn, figure.flies, figure.sided)
