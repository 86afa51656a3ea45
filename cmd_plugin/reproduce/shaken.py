"""A stretch of a clip as a camera that is not held still sees it: its window wanders and zooms at random.

The clips were filmed by cameras that hardly move; a box that stays where it is would be a fair tracker of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cmd_plugin.pictures import write_picture
from cmd_plugin.reproduce.pairs import SomePairs

STEP = (0.04, 0.04, 0.02)
"""Greatest change from frame to frame: along x and y over the shorter side of the image; logarithm of the zoom."""
REACH = (0.15, 0.15, 0.12)
"""Greatest distance from the still camera."""


def walk(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(frames, 3) shift along x and y over the shorter side, and logarithm of the zoom; begins at 0."""
    steps = rng.uniform(-1, 1, (frames, 3)) * STEP
    steps[0] = 0
    reach = np.array(REACH)
    return np.abs((np.cumsum(steps, axis=0) - reach) % (4 * reach) - 2 * reach) - reach


def matrices(places: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """(frames, 2, 3) maps of image px to image px, zooming about the middle of an image `(height, width)`."""
    zoom = np.exp(places[:, 2])
    middle = np.array(size[::-1]) / 2
    shift = min(size) * places[:, :2] + (1 - zoom)[:, None] * middle
    return np.concatenate((zoom[:, None, None] * np.eye(2), shift[:, :, None]), axis=2)


def moved(boxes: NDArray[np.float64], maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes `xywh` (n, 4), image px, each by its map."""
    zoom = maps[:, 0, :1]
    return np.concatenate((zoom * boxes[:, :2] + maps[:, :, 2], zoom * boxes[:, 2:]), axis=1)


def inside(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """(n,) shares of boxes `xywh` (n, 4) that are within an image `(height, width)`."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    seen = np.clip(high, 0, size[::-1]) - np.clip(low, 0, size[::-1])
    return seen.prod(axis=1) / boxes[:, 2:].prod(axis=1)


def shake(pairs: SomePairs, stretch: Sequence[int], folder: Path, rng: np.random.Generator,
          ) -> tuple[list[tuple[str, str]], NDArray[np.float64], tuple[int, int]]:
    """Write both halves of a stretch, moved alike; beyond its border an image goes on as it ends there.

    Returns:
        Visible and thermal file of each frame, (frames, 2, 3) maps from the frames as they were, and the size
        `(height, width)` of the images.

    Raises:
        UserError: a pair cannot be read.
    """
    height, width = pairs.read(stretch[0]).shape[:2]
    maps = matrices(walk(len(stretch), rng), (height, width))
    files = []
    for number, (index, by) in enumerate(zip(stretch, maps, strict=True)):
        pair = pairs.read(index)
        halves = {'visible': pair[..., :3], 'infrared': pair[..., 3]}
        paths = {half: folder / half / f'{number:03d}.png' for half in halves}
        for half, image in halves.items():
            seen = cv2.warpAffine(np.ascontiguousarray(image), by, (width, height), borderMode=cv2.BORDER_REPLICATE)
            write_picture(paths[half], seen)
        files.append((str(paths['visible']), str(paths['infrared'])))
    return files, maps, (height, width)
