"""Reading of image files: any of 8 or 16 bit, 1, 3 or 4 channels becomes 8-bit RGB, or a clear error."""

from __future__ import annotations

import logging
from functools import cache
from os import PathLike
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from ltr.admin.errors import UserError

StrPath = str | PathLike[str]

STRETCH_PERCENTILES = (0.5, 99.5)

_log = logging.getLogger(__name__)


class BadFrameError(UserError):
    """One frame cannot be used (unreadable file, box outside the image); a sampler may draw another.

    Attributes:
        path: the file at fault.
    """

    def __init__(self, message: str, path: StrPath = '') -> None:
        super().__init__(message)
        self.path = str(path)


def read_image(path: StrPath) -> np.ndarray:
    """Read an image file as 8-bit RGB.

    Grey images are copied to three channels; an alpha channel is dropped. 16-bit images are stretched
    linearly from their own 0.5 to 99.5 percentile to 0..255 (all channels together), see `stretch_to_uint8`.
    Pixels come as they are stored: an EXIF orientation is never applied, so boxes always refer to the stored
    pixels.

    Args:
        path: image file; any characters, on Windows too.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        BadFrameError: the file cannot be read, is cut off, is no image, or is neither 8 nor 16 bit.
    """
    return _decode(_read_bytes(path), path)


def jpeg4py_loader(path: StrPath) -> np.ndarray:
    """Like `read_image`, with libjpeg-turbo through `jpeg4py` for JPEG files where both are installed.

    Anything that libjpeg-turbo does not read (PNG, CMYK, 16 bit) goes through `read_image`; where the library
    is missing everything does, and one warning says so. Pixel values of the two decoders may differ by
    rounding.
    """
    data = _read_bytes(path)
    turbo = _turbojpeg() if _is_jpeg(data) else None
    if turbo is not None:
        try:
            return np.asarray(turbo.JPEG(np.frombuffer(data, np.uint8)).decode())
        except OSError:
            _warn_without_turbojpeg()
        except RuntimeError as error:
            _log.debug('libjpeg-turbo cannot decode %s (%s)', path, error)
    return _decode(data, path)


def stretch_to_uint8(image: np.ndarray) -> np.ndarray:
    """Map integers of more than 8 bit linearly to 0..255, from the 0.5 to the 99.5 percentile of this image.

    Where both percentiles are equal (a small hot object on a flat background) minimum and maximum serve
    instead; a constant image becomes zeros.

    Args:
        image: integers, any shape.

    Returns:
        uint8, same shape.
    """
    low, high = (float(value) for value in np.percentile(image, STRETCH_PERCENTILES))
    if high <= low:
        low, high = float(image.min()), float(image.max())
    if high <= low:
        return np.zeros(image.shape, np.uint8)
    stretched = (image.astype(np.float32) - low) * (255.0 / (high - low))
    return np.rint(stretched.clip(0, 255)).astype(np.uint8)


def _read_bytes(path: StrPath) -> bytes:
    """Content of the file; reading it here, not in OpenCV, makes non-ASCII names work on Windows."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadFrameError(f'cannot read image {path}: {reason}', path) from error
    if not data:
        raise BadFrameError(f'image {path} is an empty file; copy or download it again', path)
    if _is_cut_off(data):
        raise BadFrameError(f'image {path} is cut off (its end is missing); copy or download it again', path)
    return data


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b'\xff\xd8')


def _is_cut_off(data: bytes) -> bool:
    """Whether the end mark of a JPEG or PNG file is missing: OpenCV may fill the missing part with grey.

    Anything may follow the mark: some thermal cameras append their raw data.
    """
    if _is_jpeg(data):
        # A thumbnail in the header has a mark of its own, before the scan of the picture starts.
        return data.rfind(b'\xff\xd9', _jpeg_scan_start(data)) < 0
    if data.startswith(b'\x89PNG'):
        return data.rfind(b'IEND') < 0
    return False


def _jpeg_scan_start(data: bytes) -> int:
    """Position of the first scan, past every header segment; the length of the data where there is none."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:
            return position
        # Padding bytes (ff) may stand before a marker; every header segment tells its own length.
        position += 1 if marker == 0xFF else 2 + int.from_bytes(data[position + 2:position + 4], 'big')
    return min(position, len(data))


def _decode(data: bytes, path: StrPath) -> np.ndarray:
    """Decode to uint8 RGB (H, W, 3)."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise BadFrameError(f'{path} is not a readable image; convert it to JPEG or PNG, or remove it', path)
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in (1, 3, 4):
        raise BadFrameError(f'image {path} has {channels} channels; 1, 3 or 4 are understood', path)
    if image.dtype not in (np.uint8, np.uint16, np.int16):
        raise BadFrameError(f'image {path} holds {image.dtype} numbers; 8 and 16 bit are understood', path)
    image = image.reshape(*image.shape[:2], channels)[:, :, :3]
    if image.dtype != np.uint8:
        image = stretch_to_uint8(image)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if channels == 1 else cv2.COLOR_BGR2RGB)


@cache
def _turbojpeg() -> ModuleType | None:
    """The module `jpeg4py`, or None where it is not installed (said once)."""
    try:
        import jpeg4py
    except (ImportError, OSError):
        _warn_without_turbojpeg()
        return None
    return jpeg4py


@cache
def _warn_without_turbojpeg() -> None:
    _log.warning('jpeg4py or libturbojpeg is not installed: JPEG files are read with OpenCV')


default_image_loader = read_image
