"""Drawings on images, RGB uint8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from ltr.data.image_loader import STRETCH_PERCENTILES, stretch_to_uint8

GROUND_TRUTH = 'ground truth'
WHITE = (255, 255, 255)
COLOURS = ((255, 90, 80), (80, 220, 120), (90, 150, 255), (255, 200, 60), (220, 110, 240), (90, 220, 230))
LOW_CONTRAST = 128  # grey levels between the percentiles, below which a grey image is stretched


def for_display(image: np.ndarray) -> np.ndarray:
    """A copy for the eye: grey images of low contrast, as thermal ones often are, are stretched.

    The percentiles are those of the image loader. Colour, thus false colour, too, stays as it is.

    Args:
        image: (H, W, 3) uint8, RGB.
    """
    if np.array_equal(image[..., 0], image[..., 1]) and np.array_equal(image[..., 0], image[..., 2]):
        low, high = np.percentile(image[..., 0], STRETCH_PERCENTILES)
        if 0 < high - low < LOW_CONTRAST:
            return stretch_to_uint8(image)
    return image.copy()


def colour_of(label: str, number: int) -> tuple[int, int, int]:
    """White for the ground truth; else the `number`-th colour."""
    return WHITE if label == GROUND_TRUTH else COLOURS[number % len(COLOURS)]


def draw(image: np.ndarray, boxes: Mapping[str, Sequence[float]], title: str = '') -> np.ndarray:
    """A copy for the eye, with boxes and their legend.

    Args:
        image: (H, W, 3) uint8, RGB.
        boxes: label -> box, `xywh`, image px; a box that is not finite leaves only its line in the legend.
        title: first line of the legend.
    """
    picture = for_display(image)
    lines = [(title, WHITE)] if title else []
    number = 0
    for label, box in boxes.items():
        colour = colour_of(label, number)
        number += label != GROUND_TRUTH
        lines.append((label, colour))
        if np.isfinite(box).all():
            x, y, w, h = (float(value) for value in box)
            corners = np.array([x, y, x + w, y + h]).clip(-9e3, 9e4).round().astype(int).tolist()
            cv2.rectangle(picture, corners[:2], corners[2:], colour, 1 if max(image.shape) < 1000 else 2)
    for row, (text, colour) in enumerate(lines):
        place = (4, 14 + 14 * row)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    return picture


def cut_out(image: np.ndarray, area: Sequence[float], longest: int = 288) -> np.ndarray | None:
    """A part of an image, border replicated, resized to `longest` px on its longer side.

    Args:
        image: (H, W, 3) uint8.
        area: `xywh`, image px; may reach over the border.

    Returns:
        None where the area is not finite, is empty or lies nowhere near the image.
    """
    if not np.isfinite(area).all():
        return None
    x, y, w, h = (float(value) for value in area)
    if w <= 0 or h <= 0 or x > image.shape[1] or y > image.shape[0] or x + w < 0 or y + h < 0:
        return None
    scale = longest / max(w, h)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    # Pixel centres lie at whole numbers for OpenCV, and half a pixel from the edges of the area.
    matrix = np.array([[1 / scale, 0, x + 0.5 / scale - 0.5], [0, 1 / scale, y + 0.5 / scale - 0.5]])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REPLICATE)
