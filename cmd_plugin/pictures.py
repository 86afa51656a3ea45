"""Pictures as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from cmd_plugin.data.box_records import write_whole
from cmd_plugin.errors import UserError


def write_picture(path: Path, image: NDArray[Any]) -> Path:
    """Write an image in the format of its name, whole or not at all.

    It is encoded first: OpenCV cannot open every path on every system.

    Args:
        path: file, `.png` or `.jpg`; its folder is made.
        image: uint8 `(H, W, 3)`, RGB, or `(H, W)`.

    Returns:
        `path`.

    Raises:
        UserError: it cannot be written, or is too large for its format.
    """
    drawn = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    done, coded = cv2.imencode(path.suffix.lower(), drawn)
    if not done:
        height, width = image.shape[:2]
        raise UserError(f'{path} cannot be written: OpenCV makes no {path.suffix} of {width} x {height} px; ask for a '
                        'smaller picture, or for .png')
    write_whole(path, coded.tobytes())
    return path
