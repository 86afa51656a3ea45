"""`PairedDataset`: unlabelled, aligned RGB-TIR pairs, each read as one image of six channels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.layouts import Layout, PairGroup, find_pairs
from cmd_plugin.data.packing import unpacked
from cmd_plugin.data.reading import read_halves, read_rgb, read_tir
from cmd_plugin.errors import UserError

EXPECTED = ('expected twin folders such as visible/ and infrared/ (or rgb, color ... and ir, thermal, tir '
            '...) with equal file names, images in a folder called side_by_side, or a list file with two '
            'paths a line')


class PairedDataset:
    """Aligned RGB-TIR pairs of one or several roots.

    A pair travels as one frame of six channels, RGB | TIR TIR TIR. What crops, flips or jitters the frame
    does it to both modalities alike, by construction.

    Three layouts are understood:

    - twin folders at any depth, `visible|vis|rgb|color ...` beside `infrared|ir|thermal|tir|lwir|t ...`, with
      sub-folders or without; files are twins by name (`cmd_plugin.data.matching`);
    - side-by-side images, RGB in the left half and TIR in the right: everything in a folder called
      `side_by_side`, or everything beneath the roots with `layout='side-by-side'`. Never guessed from an
      image;
    - a list file `.txt` or `.csv`: an RGB and a TIR path a line, relative to the list.

    Order: roots as given, folders and files in natural order: equal on every machine.

    Args:
        roots: folder or list file, or several.
        layout: see above.
        name: what `get_name` tells.

    Raises:
        UserError: a root does not exist, or the roots together hold no pair.
    """

    def __init__(self, roots: str | Path | Sequence[str | Path], layout: Layout = 'auto',
                 name: str = 'pairs') -> None:
        self.roots = [Path(root) for root in ([roots] if isinstance(roots, (str, Path)) else roots)]
        self.name = name
        found = [group for root in self.roots for group in find_pairs(root, layout)]
        self.alone = sum(group.alone for group in found)
        self.example = next((group.example for group in found if group.alone), '')
        self.groups: list[PairGroup] = [group for group in found if len(group.rgb)]
        self.ends = np.cumsum([len(group.rgb) for group in self.groups], dtype=np.int64)
        if not self.groups:
            where = ', '.join(str(root) for root in self.roots) or 'an empty list of folders'
            lone = f'; {self.alone} images without a twin, e.g. {self.example}' if self.alone else ''
            raise UserError(f'no RGB-TIR pair found in {where}{lone}: {EXPECTED}')

    def __len__(self) -> int:
        return int(self.ends[-1])

    def get_name(self) -> str:
        """Name of the data set."""
        return self.name

    def summary(self) -> str:
        """One line: how many pairs were found, where from, and how many images lack a twin."""
        lists = sum(group.kind == 'list' for group in self.groups)
        places = [f'{count} {what}{"s" if count != 1 else ""}'
                  for count, what in ((len(self.groups) - lists, 'folder'), (lists, 'list')) if count]
        example = f', e.g. {self.example}' if self.alone else ''
        return f'pairs: {len(self)} from {" and ".join(places)} ({self.alone} without a twin{example})'

    def paths(self, index: int) -> tuple[Path, Path]:
        """RGB and TIR file of a pair (the same file where the halves are side by side)."""
        group, place = self._locate(index)
        return group.rgb_folder / unpacked(group.rgb, place), group.tir_folder / unpacked(group.tir, place)

    def describe(self, index: int) -> str:
        """A pair's name for messages: its RGB file."""
        return os.fspath(self.paths(index)[0])

    def read(self, index: int) -> NDArray[np.uint8]:
        """Read a pair.

        Args:
            index: 0 .. len - 1.

        Returns:
            uint8 `(H, W, 6)`: channels 0-2 RGB, 3-5 the thermal image three times.

        Raises:
            UserError: a file cannot be read, or the two sizes differ.
        """
        rgb_path, tir_path = self.paths(index)
        if self._locate(index)[0].kind == 'side-by-side':
            rgb, tir = read_halves(rgb_path)
        else:
            rgb, tir = read_rgb(rgb_path), read_tir(tir_path)
        if rgb.shape[:2] != tir.shape:
            raise UserError(f'pair of unequal size: {rgb_path} is {rgb.shape[1]} x {rgb.shape[0]}, '
                            f'{tir_path} is {tir.shape[1]} x {tir.shape[0]} (width x height)')
        return np.concatenate([rgb, np.repeat(tir[:, :, None], 3, axis=2)], axis=2)

    def _locate(self, index: int) -> tuple[PairGroup, int]:
        """Group of a pair and its place there."""
        if not 0 <= index < len(self):
            raise IndexError(f'pair {index} of {len(self)}')
        number = int(np.searchsorted(self.ends, index, side='right'))
        group = self.groups[number]
        return group, index - int(self.ends[number]) + len(group.rgb)
