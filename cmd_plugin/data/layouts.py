"""Find aligned RGB-TIR pairs on disk: twin folders, side-by-side images, list files.

Nothing is opened here but directories and list files. A million pairs must be cheap: no look-up, no object a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cmd_plugin.data.matching import RGB_NAMES, TIR_NAMES, match_twins, natural
from cmd_plugin.data.packing import Packed, packed, packed_columns
from cmd_plugin.data.pair_lists import LIST_SUFFIXES, PairList
from cmd_plugin.errors import UserError

Layout = Literal['auto', 'side-by-side']
Kind = Literal['twins', 'side-by-side', 'list']
IMAGE_SUFFIXES = frozenset(
    {'.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.pgm', '.ppm', '.jp2'})
SIDE_BY_SIDE_FOLDERS = frozenset({'side_by_side', 'side-by-side', 'sidebyside'})


@dataclass(frozen=True)
class PairGroup:
    """Pairs that were found in one place.

    Attributes:
        kind: `twins` (two folders), `side-by-side` (one file a pair, RGB left, TIR right) or `list`.
        rgb_folder, tir_folder: what the names are relative to.
        rgb, tir: `(N,)` file names; the same array when the names are equal.
        alone: number of images without a twin.
        example: one of these.
    """

    kind: Kind
    rgb_folder: Path
    tir_folder: Path
    rgb: Packed
    tir: Packed
    alone: int = 0
    example: str = ''


def find_pairs(root: str | Path, layout: Layout = 'auto') -> list[PairGroup]:
    """Find every pair beneath one root, in an order that depends on names only.

    Args:
        root: a folder, or a list file (`.txt`, `.csv`).
        layout: `auto`: twin folders at any depth, and side-by-side images in folders called `side_by_side`;
            `side-by-side`: every image beneath the root is a pair of halves.

    Returns:
        Groups in natural order of their paths; groups without a pair tell of images without a twin.

    Raises:
        UserError: no such file or folder, a folder with two candidates for one modality, a bad list.
    """
    path = Path(root).expanduser()
    if path.is_file():
        if path.suffix.lower() not in LIST_SUFFIXES:
            raise UserError(f'{path} is neither a folder nor a list of pairs (.txt or .csv)')
        return [_from_list(path)]
    if not path.is_dir():
        raise UserError(f'no such folder or list of pairs: {path}')
    if layout == 'side-by-side' or path.resolve().name.casefold() in SIDE_BY_SIDE_FOLDERS:
        return [_side_by_side(path)]
    return list(_walk(path))


def _walk(folder: Path, lone: bool = False) -> Iterator[PairGroup]:
    """Groups in `folder` and beneath; `lone`: it carries the name of a modality and has no twin."""
    folders, files = _scan(folder)
    if lone and files:
        yield PairGroup('twins', folder, folder, packed([]), packed([]), len(files), str(folder / files[0]))
    rgb = [name for name in folders if name.casefold() in RGB_NAMES]
    tir = [name for name in folders if name.casefold() in TIR_NAMES]
    twins = bool(rgb and tir)
    if twins and len(rgb) + len(tir) > 2:
        raise UserError(f'{folder} holds more than one candidate for a modality ({", ".join(rgb + tir)}): '
                        'keep one of each, or name the pairs in a list file')
    for name in folders:
        if twins and name in rgb:
            yield _twin_folders(folder / rgb[0], folder / tir[0])
        elif name.casefold() in SIDE_BY_SIDE_FOLDERS:
            yield _side_by_side(folder / name)
        elif not (twins and name in tir):
            yield from _walk(folder / name, lone=name in rgb or name in tir)


def _twin_folders(rgb_folder: Path, tir_folder: Path) -> PairGroup:
    """The pairs of two twin folders, sub-folders included."""
    rgb, tir, alone = match_twins(list(_images(rgb_folder)), list(_images(tir_folder)))
    example = ''
    if alone:
        example = str((rgb_folder if alone[0][0] == 'rgb' else tir_folder) / alone[0][1])
    rgb_packed = packed(rgb)
    return PairGroup('twins', rgb_folder, tir_folder, rgb_packed, rgb_packed if tir == rgb else packed(tir),
                     len(alone), example)


def _side_by_side(folder: Path) -> PairGroup:
    """All images beneath a folder, each of them a pair."""
    names = packed(list(_images(folder)))
    return PairGroup('side-by-side', folder, folder, names, names)


def _from_list(path: Path) -> PairGroup:
    """The pairs of a list."""
    pairs = PairList(path)
    rgb, tir = packed_columns(pairs, 2)
    return PairGroup('list', path.parent, path.parent, rgb, tir, pairs.alone,
                     f'{pairs.example} named in {path} does not exist' if pairs.alone else '')


def _images(folder: Path, prefix: str = '') -> Iterator[str]:
    """Relative names (with `/`) of all images beneath a folder, files first, in natural order."""
    folders, files = _scan(folder)
    for name in files:
        yield prefix + name
    for name in folders:
        yield from _images(folder / name, f'{prefix}{name}/')


def _scan(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the sub-folders and of the image files of a folder, hidden ones left out, in natural order."""
    folders, files = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == '.':
                    continue
                if entry.is_dir():
                    if not (entry.is_symlink() and _is_loop(folder, entry.path)):
                        folders.append(name)
                elif name[name.rfind('.'):].lower() in IMAGE_SUFFIXES:
                    files.append(name)
    except OSError as error:
        raise UserError(f'cannot list folder {folder}: {error.strerror}') from error
    return natural(folders), natural(files)


def _is_loop(folder: Path, link: str) -> bool:
    """Whether a link leads back to a folder that holds it."""
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(link))
