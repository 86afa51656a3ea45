"""Images that come from programs, cameras and videos, made what the image loader makes of files."""

from __future__ import annotations

from typing import Any

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.image_loader import stretch_to_uint8


def as_rgb(image: Any, place: str, bgr: bool = False) -> np.ndarray:
    """An image as uint8 RGB.

    16-bit numbers are stretched as those of image files (`ltr.data.image_loader.stretch_to_uint8`), grey is copied to
    three channels, and an alpha channel is dropped.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), uint8, uint16 or int16.
        place: what the image is, for errors.
        bgr: colour comes in OpenCV's order.

    Returns:
        (H, W, 3) uint8, contiguous; shares the memory of `image` where nothing is to be done.

    Raises:
        UserError: it is no such array.
    """
    if not isinstance(image, np.ndarray):
        raise UserError(f'{place} is {type(image).__name__}, not an image array; was it read?')
    channels = 1 if image.ndim == 2 else image.shape[-1]
    if image.ndim not in (2, 3) or channels not in (1, 3, 4) or not image.size:
        raise UserError(f'{place} has the shape {image.shape}; (height, width) and (height, width, 3) are understood')
    if image.dtype not in (np.uint8, np.uint16, np.int16):
        raise UserError(f'{place} holds {image.dtype} numbers; uint8 and 16 bit are understood')
    image = image.reshape(*image.shape[:2], channels)[..., :3]
    if image.dtype != np.uint8:
        image = stretch_to_uint8(image)
    if channels == 1:
        image = image.repeat(3, axis=-1)
    elif bgr:
        image = image[..., ::-1]
    return np.ascontiguousarray(image)
