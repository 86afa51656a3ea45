"""Film a world: one canvas a frame, seen by a colour camera and by a thermal camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .daylight import ColourCamera
from .noise import FloatImage
from .optics import ThermalCamera, draw_sensor
from .plan import World, plan_world, stream
from .sprite import stamp, warp

SIZE = (240, 180)
"""Default (width, height) of a frame, px."""

VIEWS = ('rgb', 'tir')


@dataclass(frozen=True)
class Clip:
    """A rendered sequence; both views share their geometry exactly.

    Attributes:
        name: class of the target and number of the world, e.g. 'person_003'.
        kind: class of the target.
        rgb: uint8 (n, H, W, 3); n = 0 when this view was not asked for.
        tir: uint8 (n, H, W); likewise.
        boxes: float64 (n, 4), `xywh`, image px, top-left corner; pixel i covers [i, i + 1). Tight around the
            whole outline of the target, hidden parts included; always wholly inside the image.
        visible: float64 (n,), share of the target that nothing hides.
        attributes: sorted; out of 'black_hot', 'crossover', 'distractor', 'fast', 'night', 'occlusion',
            'scale'.
    """

    name: str
    kind: str
    rgb: NDArray[np.uint8]
    tir: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    visible: NDArray[np.float64]
    attributes: tuple[str, ...]


def paint(world: World, t: int, only_target: bool = False) -> FloatImage:
    """The canvas of frame t: rgbt float32 (H, W, 4), R, G, B reflectance and temperature.

    Args:
        world: planned world.
        t: frame.
        only_target: without look-alikes, passers-by and occluders.
    """
    height, width = world.frame
    camera = world.cameras[t].copy()
    camera[:, 2] += camera[:, :2] @ (0.5, 0.5) - 0.5
    seen = cv2.warpAffine(world.backdrop.canvas, camera, (width, height), borderMode=cv2.BORDER_REFLECT)
    canvas = np.asarray(seen, np.float32)
    layers = (
        [world.target]
        if only_target
        else sorted([world.target, *world.others], key=lambda layer: layer.depth(t))
    )
    for layer in layers:
        patch, matrix, heat = layer.piece(t)
        stamp(canvas, patch, matrix, heat)
    return canvas


def silhouette(world: World, t: int) -> FloatImage:
    """Coverage (H, W), 0 ... 1, of the whole target in frame t, as if nothing stood before it."""
    mask = np.zeros(world.frame, np.float32)
    patch, matrix, _ = world.target.piece(t)
    warped = warp(patch, matrix, world.frame)
    if warped is not None:
        mask[warped[0]] = warped[2]
    return mask


def film(
    world: World, seed: np.random.SeedSequence, frames: Sequence[int], views: Sequence[str] = VIEWS
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Film some frames of a world.

    Args:
        world: planned world.
        seed: seed of the two cameras (traits and noise).
        frames: which, in rising order.
        views: any of `VIEWS`; a view is the same whether or not the other one is made.

    Returns:
        (rgb uint8 (n, H, W, 3), tir uint8 (n, H, W)); n = 0 for a view that was not asked for.
    """
    (height, width), day = world.frame, world.climate.day
    rng_colour, rng_traits, rng_thermal = (
        np.random.default_rng(s)
        for s in np.random.SeedSequence(entropy=seed.entropy, spawn_key=(*seed.spawn_key, 1)).spawn(3)
    )
    colour = ColourCamera(rng_colour, world.frame, world.backdrop.light, day, world.unit)
    sensor = draw_sensor(rng_traits, world.frame, world.unit, 'black_hot' in world.flags)
    if (np.diff(frames) != 1).any():
        sensor = sensor.without_lag()
    thermal = ThermalCamera(sensor, rng_thermal)
    rgb = np.empty((len(frames) if 'rgb' in views else 0, height, width, 3), np.uint8)
    tir = np.empty((len(frames) if 'tir' in views else 0, height, width), np.uint8)
    for k, t in enumerate(frames):
        canvas = paint(world, t)
        if len(rgb):
            rgb[k] = colour.shoot(
                np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGBA2RGB), np.float32), world.cameras[t]
            )
        if len(tir):
            tir[k] = thermal.shoot(np.asarray(cv2.extractChannel(canvas, 3), np.float32))
    return rgb, tir


def render(
    seed: int,
    length: int,
    size: tuple[int, int] = SIZE,
    *,
    purpose: str = 'clip',
    index: int = 0,
    views: Sequence[str] = VIEWS,
    daylight: bool = False,
) -> Clip:
    """Render one sequence of the generated world.

    Args:
        seed: >= 0; the same arguments give the same bits.
        length: frames, >= 1.
        size: (width, height), px, each >= 64.
        purpose: differing purposes give disjoint worlds for the same seed.
        index: number of the world within its purpose.
        views: any of 'rgb', 'tir'.
        daylight: no nights.

    Returns:
        The clip.

    Raises:
        ValueError: negative seed, no frames, image too small, or unknown view.
    """
    if not views or not set(views) <= set(VIEWS):
        raise ValueError(f'views must be some of {VIEWS} (got {tuple(views)})')
    sequence = stream(seed, purpose, index)
    world = plan_world(sequence, length, size, daylight=daylight)
    rgb, tir = film(world, sequence, range(length), views)
    boxes = np.array([world.target.box(t) for t in range(length)])
    return Clip(
        f'{world.target.kind}_{index:03d}', world.target.kind, rgb, tir, boxes, world.visible, world.flags
    )
