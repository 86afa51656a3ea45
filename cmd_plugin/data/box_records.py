"""What a box file says: boxes of one half of one image, and the collection of them that was read."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from cmd_plugin.data.layouts import IMAGE_SUFFIXES
from cmd_plugin.data.matching import RGB_NAMES, TIR_NAMES
from cmd_plugin.errors import UserError

Modality = Literal['rgb', 'tir']
DIGITS = 4
"""Digits behind the point in files: a ten-thousandth of a pixel."""
SUFFIXES = IMAGE_SUFFIXES | {'.txt'}
MODALITY_NAMES = RGB_NAMES | TIR_NAMES


class Found(NamedTuple):
    """One detected object: `xyxy` in px of the half that it was found on, confidence, class name."""

    x1: float
    y1: float
    x2: float
    y2: float
    score: float
    label: str


@dataclass(frozen=True)
class Record:
    """Boxes of one half of a pair.

    Attributes:
        name: file that the boxes belong to, relative, with `/`; with or without a suffix.
        modality: which half.
        boxes: what was found; nothing is an answer, too.
        size: `(height, width)` of the half, px; `None` where the format does not tell.
        joined: coordinates may count on a canvas of RGB | TIR, so that the TIR half begins at the width of a half.
    """

    name: str
    modality: Modality
    boxes: tuple[Found, ...]
    size: tuple[int, int] | None = None
    joined: bool = False


@dataclass
class BoxSet:
    """Everything read from one place.

    Attributes:
        path: file or folder.
        records: one for each image half.
        root: name of the folder that the records' names are relative to; empty where unknown.
        count: boxes with an area; `flat`: boxes without, which were dropped; `example`: where one of these stands.
    """

    path: Path
    records: list[Record] = field(default_factory=list)
    root: str = ''
    count: int = 0
    flat: int = 0
    example: str = ''

    def add(self, record: Record, places: Iterable[int], file: Path, unit: str = 'line') -> None:
        """Take a record without its boxes that have no area; `places` are their lines (or another unit) in `file`."""
        kept = []
        for place, box in zip(places, record.boxes, strict=True):
            if box.x2 > box.x1 and box.y2 > box.y1:
                kept.append(box)
            else:
                self.flat += 1
                self.example = self.example or f'{file}, {unit} {place}: {tuple(box[:4])}'
        self.count += len(kept)
        self.records.append(Record(record.name, record.modality, tuple(kept), record.size, record.joined))


def bare_name(name: str) -> tuple[str, ...]:
    """Parts of a path without folders that name a modality and without the suffix of an image or box file.

    `set/visible/a/01.jpg`, `rgb/set/a/01.txt` and `set/a/01` are one name: by it boxes find their pair.
    """
    # By hand: this is done for every pair and every record, and a path object would take ten times as long.
    *folders, file = [part for part in name.split('/') if part not in ('', '.', '..')] or ['']
    stem, suffix = os.path.splitext(file)
    return (*unmarked(folders), stem if suffix.lower() in SUFFIXES else file)


def unmarked(folders: Iterable[str]) -> tuple[str, ...]:
    """Folders that do not name a modality."""
    return tuple(folder for folder in folders if folder.casefold() not in MODALITY_NAMES)


def modality_of(name: str) -> Modality:
    """The modality that the innermost telling folder of a path names; RGB where none does."""
    for part in reversed(name.split('/')[:-1]):
        if part.casefold() in TIR_NAMES:
            return 'tir'
        if part.casefold() in RGB_NAMES:
            return 'rgb'
    return 'rgb'


def numbers(cells: Iterable[object], where: str) -> list[float]:
    """Finite numbers; raises `UserError` that names the place."""
    found = []
    for cell in cells:
        try:
            value = float(cell)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise UserError(f'{where}: {str(cell)[:40]!r} is not a finite number; correct it')
        found.append(value)
    return found


def shown(value: float) -> str:
    """A number as text files hold it."""
    return repr(round(float(value), DIGITS)).removesuffix('.0')


def write_whole(path: Path, content: str | bytes, durable: bool = False) -> None:
    """Write a file that is either complete or not there.

    Args:
        path: file; its folder is made.
        content: what it shall hold; text becomes UTF-8.
        durable: wait until it is on the disk.

    Raises:
        UserError: it cannot be written.
    """
    part = path.with_name(f'.{path.name}.tmp')  # one name: what a killed process left is replaced
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open('wb') as file:
                file.write(content.encode() if isinstance(content, str) else content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f'cannot write {path}: {error.strerror}; make room or choose another folder') from error
