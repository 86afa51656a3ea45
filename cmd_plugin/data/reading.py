"""Read one RGB or thermal image of any common kind as 8-bit values.

The stock toolkit's readers cannot serve: they take 8-bit JPEG only, and thermal cameras deliver 14 bits of
which a scene fills a few hundred values. A file that was cut short is an error here; some decoders fill it up
with grey.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cmd_plugin.errors import UserError

STRETCH_PERCENTILES = (0.5, 99.5)


def read_rgb(path: str | Path) -> NDArray[np.uint8]:
    """Read a colour image.

    Args:
        path: image of 8 or 16 bits and 1, 3 or 4 channels (alpha is dropped, grey is replicated).

    Returns:
        uint8 `(H, W, 3)`, RGB. Eight-bit values are kept; deeper ones are divided by the full scale of the
        smallest even bit depth (10, 12, 14, 16) that holds the image, so that 12 bits in a 16-bit file are
        not black.

    Raises:
        UserError: the file cannot be read, is cut short or is no image.
    """
    return _as_rgb(_decode(Path(path)), Path(path))


def read_tir(path: str | Path) -> NDArray[np.uint8]:
    """Read a thermal image as one channel.

    Args:
        path: image of 8 or 16 bits (or float) and 1, 3 or 4 channels. Three equal channels give exactly that
            channel; a false-colour image gives its luminance.

    Returns:
        uint8 `(H, W)`. Eight-bit values are kept; deeper ones are stretched from their 0.5th to their 99.5th
        percentile to 0..255, image by image, because a scene fills a small part of the sensor's range.

    Raises:
        UserError: the file cannot be read, is cut short or is no image.
    """
    return _as_tir(_decode(Path(path)), Path(path))


def read_halves(path: str | Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read one file that holds a pair side by side, RGB in the left half, TIR in the right.

    Returns:
        uint8 `(H, W / 2, 3)` and `(H, W / 2)`, each converted as by `read_rgb` and `read_tir`.

    Raises:
        UserError: as these two, or the width is odd.
    """
    path = Path(path)
    image = _decode(path)
    half, odd = divmod(image.shape[1], 2)
    if odd:
        raise UserError(f'pair of unequal size: {path} has an odd width '
                        f'({image.shape[1]} x {image.shape[0]}), so it does not hold two halves side by side')
    return _as_rgb(image[:, :half], path), _as_tir(image[:, half:], path)


def is_cut_short(data: bytes) -> bool:
    """Whether the bytes of a JPEG or PNG file lack their end mark (False for other formats).

    In JPEG the mark is looked for after the image's header, since a thumbnail in the header has a mark of its
    own.
    Bytes that follow the mark are allowed: some thermal cameras append their raw data.
    """
    if data.startswith(b'\xff\xd8'):
        return data.rfind(b'\xff\xd9', _jpeg_scan_start(data)) < 0
    if data.startswith(b'\x89PNG\r\n\x1a\n'):
        return data.rfind(b'IEND') < 0
    return False


def _jpeg_scan_start(data: bytes) -> int:
    """Position of the first scan, past every header segment; the length of the data where there is none."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:
            return position
        # Padding bytes (0xFF) may stand before a marker; every header segment tells its own length.
        position += 1 if marker == 0xFF else 2 + int.from_bytes(data[position + 2:position + 4], 'big')
    return min(position, len(data))


def _decode(path: Path) -> NDArray[Any]:
    """Decode a file as it is: `(H, W)`, `(H, W, 3)` BGR or `(H, W, 4)` BGRA."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f'cannot read image {path}: {error.strerror}') from error
    if not data:
        raise UserError(f'image {path} is an empty file: copy it again or remove it')
    if is_cut_short(data):
        raise UserError(f'image {path} is cut short (its end is missing): copy it again or remove it')
    try:
        # imdecode, not imread: imread cannot open names outside the code page on Windows.
        image: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise UserError(f'image {path} cannot be decoded ({error.err}): copy it again or remove it') from error
    if image is None:
        raise UserError(f'image {path} cannot be decoded: damaged, or not an image; copy it again or remove it')
    # Colour conversion takes these depths only.
    return image if image.dtype in (np.uint8, np.uint16, np.float32) else image.astype(np.float32)


def _as_rgb(image: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Decoded image to 8-bit RGB."""
    if image.ndim == 2:
        rgb: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    else:
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGB)
    if rgb.dtype == np.uint8:
        return rgb
    if rgb.dtype == np.uint16:
        bits = max(8, int(rgb.max()).bit_length())
        return _rescale(rgb, 0.0, float(2 ** (bits + bits % 2) - 1))
    return _stretch(rgb, path)


def _as_tir(image: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Decoded image to one 8-bit channel."""
    if image.ndim == 3:
        # The fixed-point weights of OpenCV add up to one exactly: equal channels come out unchanged.
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY if image.shape[2] == 3 else cv2.COLOR_BGRA2GRAY)
    return image if image.dtype == np.uint8 else _stretch(image, path)


def _stretch(image: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Map the image's own percentile range to 0..255."""
    if not np.isfinite(image).all():
        raise UserError(f'image {path} holds values that are not finite')
    low, high = np.percentile(image, STRETCH_PERCENTILES)
    if high <= low:
        # Nearly all pixels are equal: the percentiles say nothing, the extremes may.
        low, high = float(image.min()), float(image.max())
    return _rescale(image, float(low), float(high))


def _rescale(image: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Map `low..high` to 0..255, rounded and clipped; a flat image (`low == high`) becomes 0."""
    scaled = (image.astype(np.float32) - low) * (255.0 / max(high - low, 1e-12))
    return np.rint(scaled).clip(0, 255).astype(np.uint8)
