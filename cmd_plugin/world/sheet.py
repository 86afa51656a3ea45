"""A contact sheet: what the generated world looks like at a glance."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .render import SIZE, render


def _draw(image: NDArray[np.uint8], box: NDArray[np.float64], scale: int) -> NDArray[np.uint8]:
    colour = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    large = np.ascontiguousarray(colour.repeat(scale, axis=0).repeat(scale, axis=1))
    x, y, w, h = (box * scale).round().astype(int)
    cv2.rectangle(large, (x, y), (x + w, y + h), (60, 255, 60), 1)
    return large


def contact_sheet(
    seed: int,
    clips: int = 8,
    frames: int = 4,
    length: int = 30,
    size: tuple[int, int] = SIZE,
    scale: int = 1,
    boxes: bool = True,
) -> NDArray[np.uint8]:
    """Several clips one under the other: a row of RGB frames, then the same frames in TIR.

    Args:
        seed: first world; the clips are worlds 0 ... clips - 1 of the purpose 'clip'.
        clips: number of clips.
        frames: frames of each, evenly spread.
        length: length of each clip.
        size: (width, height) of a frame, px.
        scale: enlargement.
        boxes: draw the ground truth.

    Returns:
        uint8 (rows, columns, 3), RGB.
    """
    rows = []
    for index in range(clips):
        clip = render(seed, length, size, index=index)
        times = np.linspace(0, length - 1, frames).round().astype(int)
        for view in (clip.rgb, clip.tir):
            row = [_draw(view[t], clip.boxes[t] if boxes else np.full(4, -9.0), scale) for t in times]
            rows.append(np.hstack(row))
        label = f'{clip.name} {" ".join(clip.attributes)}'
        cv2.putText(rows[-2], label, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1, cv2.LINE_AA)
    return np.vstack(rows)
