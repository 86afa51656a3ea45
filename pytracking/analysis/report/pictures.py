"""The frames of a sequence as a page can show them: linked where they lie, or embedded and small."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np

from ltr.admin.errors import UserError
from ltr.data.image_loader import read_image

LONGEST_SIDE = 360
QUALITY = 72
SHOWN_BY_BROWSERS = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.webp'})
_NUMBERED = re.compile(r'(.*?)(\d+)(\.\w+)')


class Pictures:
    """What the page gets to see of each sequence, and what it does not.

    Args:
        folder: where the page will lie, absolute.
        embed: at most so many pictures of each sequence are put into the page; 0: link.

    Attributes:
        absent, unshown: number of sequences whose images are not there, or in a form that no browser shows.
    """

    def __init__(self, folder: Path, embed: int = 0) -> None:
        self.folder = folder
        self.embed = embed
        self.absent = 0
        self.unshown = 0

    def of(self, frames: Sequence[str], wanted: Sequence[int]) -> dict[str, Any] | None:
        """How the page finds the frames of one sequence.

        Args:
            frames: image files.
            wanted: positions that are embedded first, the most telling first.

        Returns:
            None without images; else `{'embedded': {position: data URI}, 'size': [width, height]}` or
            `{'folder': ..., 'names': [...]}`, or in place of the names `prefix`, `first`, `width`, `suffix`: the parts
            of regular names. Folder and names are URL-quoted.

        Raises:
            UserError: an image to embed cannot be read.
        """
        if not frames or not frames[0] or not Path(frames[0]).is_file():
            self.absent += 1
            return None
        if self.embed:
            return self._embedded(frames, wanted)
        if not is_shown(Path(frames[0])):
            self.unshown += 1
            return None
        return linked(frames, self.folder)

    def lacks(self, sequences: int) -> list[str]:
        """A line for each kind of absence."""
        lines = []
        if self.absent:
            lines.append(f'{self.absent} of {sequences} sequences have no images at hand: their boxes are drawn on an '
                         f'empty ground')
        if self.unshown:
            lines.append(f'{self.unshown} of {sequences} sequences have images that no browser shows (16 bit, or an '
                         f'unusual format): --embed-frames N puts pictures of them into the page')
        return lines

    def _embedded(self, frames: Sequence[str], wanted: Sequence[int]) -> dict[str, Any]:
        chosen = choose(len(frames), wanted, self.embed)
        size: list[int] = []
        embedded = {}
        for position in chosen:
            image = read_image(frames[position])
            size = size or [image.shape[1], image.shape[0]]
            embedded[str(position)] = data_uri(image, frames[position])
        return {'embedded': embedded, 'size': size}


def choose(count: int, wanted: Sequence[int], most: int) -> list[int]:
    """Up to `most` of `count` positions: the first frame, up to half of them from `wanted`, others evenly spread."""
    chosen = [0, *dict.fromkeys(position for position in wanted if position != 0)][:max(1, (most + 1) // 2)]
    for total in (most, count):  # evenly spread positions may coincide with chosen ones: then any that is left
        for position in np.linspace(0, count - 1, min(total, count)).round().astype(int).tolist():
            if len(chosen) < min(most, count) and position not in chosen:
                chosen.append(position)
    return sorted(chosen)


def linked(frames: Sequence[str], folder: Path) -> dict[str, Any]:
    """Relative URLs of the frames, regular names in short."""
    places = [Path(frame).absolute() for frame in frames]
    parents = {place.parent for place in places}
    if len(parents) > 1:
        return {'folder': '', 'names': [_url(place, folder) for place in places]}
    base = _url(parents.pop(), folder) + '/'
    names = [place.name for place in places]
    parts = _NUMBERED.fullmatch(names[0])
    if parts:
        prefix, digits, suffix = parts.groups()
        first, width = int(digits), len(digits)
        if names == [f'{prefix}{first + i:0{width}d}{suffix}' for i in range(len(names))]:
            return {'folder': base, 'prefix': _quote(prefix), 'first': first, 'width': width, 'suffix': _quote(suffix)}
    return {'folder': base, 'names': [_quote(name) for name in names]}


def _url(place: Path, folder: Path) -> str:
    """`place` as seen from `folder`; a file URL where no relative path leads there (another drive)."""
    try:
        relative = Path(os.path.relpath(place, folder))
    except ValueError:
        return place.as_uri()
    return _quote(relative.as_posix())


def _quote(text: str) -> str:
    """As in a URL; names that are no Unicode keep their bytes."""
    return quote(text, errors='surrogateescape')


def is_shown(path: Path) -> bool:
    """Whether browsers show the file as we do: a usual format of 8 bits."""
    if path.suffix.lower() not in SHOWN_BY_BROWSERS:
        return False
    with path.open('rb') as file:
        head = file.read(25)
    return not (head.startswith(b'\x89PNG') and head[24:25] == b'\x10')


def data_uri(image: np.ndarray, name: str) -> str:
    """A JPEG of at most `LONGEST_SIDE` px a side, as a data URI; `image` is uint8 (H, W, 3) RGB."""
    scale = LONGEST_SIDE / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, code = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise UserError(f'{name} cannot be encoded; is it empty?')
    return 'data:image/jpeg;base64,' + base64.b64encode(code.tobytes()).decode()
