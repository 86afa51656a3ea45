"""From a figure and its surfaces to pictures that can be stamped into a frame.

A canvas or patch has four channels: R, G, B (reflectance, 0 ... 255) and T (temperature, degrees Celsius).
One warp moves all four, so that both views share their geometry exactly. Patches are premultiplied by alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import FloatImage, fractal
from .shapes import Figure, Part, Points
from .surfaces import LEVELS, PatternPool, Surface, colour_table, warmth_table

SPAN = 1.12
"""Side of a sprite's canvas over the longest side of its figure."""

Affine = NDArray[np.float64]
"""2 x 3 matrix on continuous coordinates: pixel i covers [i, i + 1)."""


Warped = tuple[tuple[slice, slice], FloatImage, FloatImage]
"""Where a patch falls in a frame (rows, columns), and its rgbt and alpha there."""


@dataclass(frozen=True)
class Patch:
    """A picture with transparency: rgbt float32 (h, w, 4), premultiplied; alpha float32 (h, w), 0 ... 1."""

    rgbt: FloatImage
    alpha: FloatImage


@dataclass(frozen=True)
class Sprite:
    """An object, painted.

    Attributes:
        mips: for each pose, patches of falling size (each half of the one before).
        hulls: for each pose, the convex hull of its outline (k, 2) in unit coordinates.
        extent: (width, height) of the first pose in unit coordinates.
    """

    mips: tuple[tuple[Patch, ...], ...]
    hulls: tuple[Points, ...]
    extent: tuple[float, float]

    def patch(self, pose: int, scale: float) -> tuple[Patch, Affine]:
        """The mip level to warp at `scale` px per unit, and its matrix to unit coordinates."""
        chosen = self.mips[pose][0]
        for level in self.mips[pose][1:]:
            if level.alpha.shape[0] < SPAN * scale:
                break
            chosen = level
        step = SPAN / chosen.alpha.shape[0]
        return chosen, np.array([[step, 0, -SPAN / 2], [0, step, -SPAN / 2]])


def chain(outer: Affine, inner: Affine) -> Affine:
    """The affine map outer(inner(p))."""
    linear = outer[:, :2] @ inner[:, :2]
    return np.column_stack([linear, outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def apply(matrix: Affine, points: Points) -> Points:
    """Map points (k, 2) by an affine matrix."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def fill(mask: NDArray[np.uint8], contours: tuple[Points, ...], matrix: Affine, smooth: bool = False) -> None:
    """Fill polygons (even-odd) with 255 in a uint8 mask; `matrix` maps them to continuous px of the mask."""
    fixed = [np.round((apply(matrix, c) - 0.5) * 16).astype(np.int32) for c in contours]
    cv2.fillPoly(mask, fixed, (255,), cv2.LINE_AA if smooth else cv2.LINE_8, 4)


def _paint(
    pose: tuple[Part, ...],
    labels: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    tables: tuple[NDArray[np.uint32], NDArray[np.float32]],
    side: int,
) -> Patch:
    """Paint one pose at twice the side, then halve it (anti-aliasing)."""
    large = 2 * side
    to_px = np.array([[large / SPAN, 0, large / 2], [0, large / SPAN, large / 2]])
    colour, warmth, alpha, mask = (np.zeros((large, large), np.uint8) for _ in range(4))
    for part in pose:
        mask[:] = 0
        fill(mask, part.contours, to_px)
        weave, patchwork = labels[part.name]
        cv2.copyTo(weave, mask, colour)
        cv2.copyTo(patchwork, mask, warmth)
        cv2.bitwise_or(alpha, mask, alpha)
    cover = alpha.astype(np.float32) * np.float32(1 / 255)
    rgbt = tables[0][colour].view(np.uint8).reshape(large, large, 4).astype(np.float32)
    rgbt[..., 3] = tables[1][warmth]
    rgbt *= cover[..., None]
    return _halve(Patch(rgbt, cover))


def _shading(rng: np.random.Generator, side: int, day: bool) -> FloatImage:
    """Factor of the colours: light from above, and some dirt; float32 (side, side)."""
    fall = float(rng.uniform(0.1, 0.4) if day else rng.uniform(0.0, 0.2))
    slope = np.linspace(1 + fall / 2, 1 - fall / 2, side, dtype=np.float32)[:, None]
    return slope * (1 + np.float32(0.06) * fractal(rng, (side, side), side / 3))


def _halve(patch: Patch) -> Patch:
    """The same patch at half the size (not `pyrDown`: that one moves the picture by half a pixel)."""
    half = (patch.alpha.shape[1] // 2, patch.alpha.shape[0] // 2)
    rgbt, alpha = (cv2.resize(x, half, interpolation=cv2.INTER_AREA) for x in (patch.rgbt, patch.alpha))
    return Patch(np.asarray(rgbt, np.float32), np.asarray(alpha, np.float32))


def build_sprite(
    rng: np.random.Generator,
    figure: Figure,
    worn: dict[str, Surface],
    pool: PatternPool,
    side: int,
    day: bool = True,
) -> Sprite:
    """Paint all poses of a figure.

    Args:
        rng: source of randomness (cut of the patterns, shading).
        figure: geometry, normalised (`shapes.normalise`).
        worn: surface of each part name of the figure.
        pool: patterns that the surfaces point into.
        side: px of the largest mip level, a multiple of 16.
        day: stronger shading by day.
    """
    names = list(worn)
    surfaces = [worn[name] for name in names]
    tables = (np.ascontiguousarray(colour_table(surfaces)).view(np.uint32)[:, 0], warmth_table(surfaces))
    labels = {}
    for index, name in enumerate(names):
        base = np.uint8(LEVELS * index)
        labels[name] = (
            pool.cut(rng, pool.weaves[worn[name].weave], 2 * side) + base,
            pool.cut(rng, pool.patchworks[worn[name].patchwork], 2 * side) + base,
        )
    light = _shading(rng, side, day)
    soft = fractal(rng, (side, side), side / 2, 0.4) * np.float32(rng.uniform(0.2, 0.8))
    mips, hulls = [], []
    for pose in figure.poses:
        patch = _paint(pose, labels, tables, side)
        patch.rgbt[..., :3] *= light[..., None]
        patch.rgbt[..., 3] += soft * patch.alpha
        levels = [patch]
        while levels[-1].alpha.shape[0] >= 24:
            levels.append(_halve(levels[-1]))
        mips.append(tuple(levels))
        points = np.concatenate([c for part in pose for c in part.contours]).astype(np.float32)
        hulls.append(cv2.convexHull(points)[:, 0].astype(np.float64))
    width, height = np.ptp(hulls[0], axis=0)
    return Sprite(tuple(mips), tuple(hulls), (float(width), float(height)))


def warp(patch: Patch, matrix: Affine, shape: tuple[int, int]) -> Warped | None:
    """Warp a patch into a frame.

    Args:
        patch: picture.
        matrix: continuous px of the patch to continuous px of the frame.
        shape: (height, width) of the frame.

    Returns:
        (slices of the frame, rgbt (h, w, 4), alpha (h, w)) of the region it touches; None if it misses it.
    """
    height, width = patch.alpha.shape
    corners = apply(matrix, np.array([(0, 0), (width, 0), (width, height), (0, height)], float))
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (shape[1], shape[0]))
    if right <= left or bottom <= top:
        return None
    indexed = matrix.copy()  # from continuous to index coordinates: pixel centres are at + 0.5
    indexed[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5 - (left, top)
    size = (int(right - left), int(bottom - top))
    region = (slice(int(top), int(bottom)), slice(int(left), int(right)))
    rgbt, alpha = (cv2.warpAffine(x, indexed, size) for x in (patch.rgbt, patch.alpha))
    return region, np.asarray(rgbt, np.float32), np.asarray(alpha, np.float32)


def stamp(canvas: FloatImage, patch: Patch, matrix: Affine, heat: float = 0.0) -> None:
    """Lay a patch over a canvas (H, W, 4), in place; `heat` (K) is added to its temperatures."""
    warped = warp(patch, matrix, canvas.shape[:2])
    if warped is None:
        return
    region, rgbt, alpha = warped
    if heat:
        rgbt[..., 3] += np.float32(heat) * alpha
    view = canvas[region]
    view *= (1 - alpha)[..., None]
    view += rgbt
