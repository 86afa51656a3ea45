"""A window of OpenCV: to draw the first box with the mouse, and to look on."""

from __future__ import annotations

import os
import re
import sys

import cv2
import numpy as np

from ltr.admin.errors import UserError

NAME = 'tracking'
QUIT, AGAIN = 'q', 'r'


def why_no_window() -> str | None:
    """Why no window can be opened here; None where one can."""
    toolkit = re.search(r'^\s*GUI:\s*(\S+)', cv2.getBuildInformation(), re.MULTILINE)
    if toolkit is None or toolkit[1].upper() == 'NONE':
        return 'this OpenCV is built without windows (pip install opencv-python in place of opencv-python-headless)'
    if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        return 'there is no display'
    return None


def select_box(image: np.ndarray) -> list[float]:
    """Let the user draw the target's box with the mouse.

    Args:
        image: (H, W, 3) uint8, RGB.

    Returns:
        `xywh`, image px.

    Raises:
        UserError: no window can be opened, or nothing was drawn.
    """
    reason = why_no_window()
    if reason:
        raise UserError(f'the box cannot be drawn with the mouse, {reason}: give it with --optional_box X Y W H')
    box = [float(value) for value in cv2.selectROI(NAME, _bgr(image), fromCenter=False)]
    if box[2] <= 0 or box[3] <= 0:
        raise UserError('no box was drawn')
    return box


def show(image: np.ndarray) -> str:
    """Show a frame, (H, W, 3) uint8, RGB; the key that was pressed since the last one, or ''."""
    cv2.imshow(NAME, _bgr(image))
    key = cv2.waitKey(1) & 0xFF
    return '' if key == 0xFF else chr(key)


def _bgr(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1])
