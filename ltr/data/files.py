"""What a folder of video holds: names, natural order, lists of frames, and the walk over folders below a root."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ltr.admin.errors import UserError

GROUND_TRUTH = 'groundtruth_rect.txt'
FRAMES = 'img'
IMAGE_SUFFIXES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.pgm', '.ppm', '.jp2'})
NumberedName = tuple[tuple[int, int, str], ...]

_DIGITS = re.compile(r'(\d+)')


def natural_key(name: str) -> NumberedName:
    """Sort key under which numbers in a name count as numbers: 2 before 10, and 2 equal to 02."""
    parts = filter(None, _DIGITS.split(name))
    return tuple((0, int(part), '') if part.isdecimal() else (1, 0, part) for part in parts)


def list_frames(folder: Path) -> list[str]:
    """Image files of a folder in natural order: frame 2 before frame 10, whatever the width of the numbers.

    Hidden files and other file types are left out. An absent folder has no frames.

    Raises:
        UserError: two files carry the same frame number.
    """
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)
            if suffix.lower() in IMAGE_SUFFIXES and not stem.startswith('.') and entry.is_file():
                found.append((natural_key(stem), entry.path))
    found.sort()
    for (key, one), (next_key, other) in pairwise(found):
        if key == next_key:
            raise UserError(f'{one} and {Path(other).name} are the same frame: remove one of them')
    return [path for _, path in found]


def number_frames(frames: list[str]) -> dict[int, int]:
    """Frame number (the last number in a file's name) -> position in `frames`; other files are left out."""
    numbers = {}
    for position, path in enumerate(frames):
        digits = _DIGITS.findall(os.path.splitext(os.path.basename(path))[0])
        if digits:
            numbers[int(digits[-1])] = position
    return numbers


def walk_folders(root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every folder below `root` and itself, each real folder once, real ones before links, in natural order.

    Hidden folders are left out, and `img/` is not looked into: it may hold very many files and no sequence.

    Yields:
        The folder and the names that lead to it from the root; of the root, its own name.

    Raises:
        UserError: a folder cannot be listed.
    """
    seen: set[str] = set()
    links: list[tuple[Path, tuple[str, ...]]] = []
    pending: list[tuple[Path, tuple[str, ...]]] = [(root, (root.resolve().name,))]
    while pending or links:
        folder, parts = pending.pop() if pending else links.pop(0)
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        yield folder, parts
        inner = () if folder == root else parts
        folders = _subfolders(folder)
        links += [(Path(e.path), (*inner, e.name)) for e in folders if e.is_symlink()]
        pending += [(Path(e.path), (*inner, e.name)) for e in reversed(folders) if not e.is_symlink()]


def _subfolders(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not entry.name.startswith(('.', '__MACOSX'))
                           and entry.name != FRAMES and entry.is_dir()),
                          key=lambda entry: (natural_key(entry.name), entry.name))
    except OSError as error:
        raise UserError(f'cannot list {folder}: {error.strerror}') from None
