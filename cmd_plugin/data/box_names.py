"""Which pair of a data set a box file speaks of."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from cmd_plugin.data.box_records import BoxSet, Modality, Record, bare_name, unmarked
from cmd_plugin.errors import UserError

SIDES: tuple[Modality, ...] = ('rgb', 'tir')
LONGEST = 2
"""Parts of a name that a pair is looked up by."""
ENDS: tuple[Literal['left', 'right'], ...] = ('left', 'right')


class NamedPairs(Protocol):
    """Pairs whose files are known."""

    def __len__(self) -> int:
        """Number of pairs."""

    def paths(self, index: int) -> tuple[Path, Path]:
        """RGB and TIR file of a pair."""


class PairIndex:
    """Finds pairs by the names in box files.

    A record belongs to the pair whose path ends with the record's name, both taken without suffix and without
    folders that name a modality: `seq/01.txt` fits `/data/seq/visible/01.jpg`. Where several pairs fit, the folder that
    the names are relative to (`BoxSet.root`) decides.

    Args:
        pairs: the data set.
    """

    def __init__(self, pairs: NamedPairs) -> None:
        self.pairs = pairs
        self._folders: dict[str, tuple[str, ...]] = {}
        # A million pairs must be cheap: hashes in place of names. By two parts, too: videos count their frames alike.
        hashes = np.zeros((len(SIDES), LONGEST, len(pairs)), np.int64)
        for index in range(len(pairs)):
            for side in range(len(SIDES)):
                name = self._bare_path(index, side)
                hashes[side, :, index] = [hash(name[-parts:]) for parts in range(1, LONGEST + 1)]
        self._order = hashes.argsort(axis=2, kind='stable')
        self._hashes = np.take_along_axis(hashes, self._order, axis=2)

    def find(self, record: Record, root: str = '') -> list[int]:
        """Indices of the pair of a record; several where a pair is in the data set more than once.

        Raises:
            UserError: several different pairs fit.
        """
        sides: Iterable[Modality] = ('rgb',) if record.modality == 'rgb' or record.joined else ('tir', 'rgb')
        for side in sides:
            found = self._find(bare_name(record.name), SIDES.index(side), root)
            if found:
                return found
        return []

    def _find(self, name: tuple[str, ...], side: int, root: str) -> list[int]:
        longer = (*unmarked([root]), *name) if root else name
        for wanted in (longer, name):
            fitting = {index: full for index in self._candidates(wanted, side)
                       if (full := self._bare_path(index, side))[-len(wanted):] == wanted}
            if len(set(fitting.values())) > 1:
                one, other = sorted({str(self.pairs.paths(index)[0]) for index in fitting})[:2]
                raise UserError(f'boxes of {"/".join(name)} fit several pairs, e.g. {one} and {other}: '
                                'keep box files in folders like those of the pairs')
            if fitting:
                return list(fitting)
        return []

    def _candidates(self, name: tuple[str, ...], side: int) -> list[int]:
        """Pairs whose path ends with the last parts of a name, and seldom others; in order."""
        row = side, min(len(name), LONGEST) - 1
        low, high = (np.searchsorted(self._hashes[row], hash(name[-LONGEST:]), side=end) for end in ENDS)
        return self._order[row][low:high].tolist()

    def _bare_path(self, index: int, side: int) -> tuple[str, ...]:
        """All parts of a pair's path, as in `bare_name`."""
        folder, file = os.path.split(self.pairs.paths(index)[side])
        if folder not in self._folders:
            self._folders[folder] = bare_name(f'{Path(os.path.abspath(folder)).as_posix()}/-')[:-1]
        return *self._folders[folder], *bare_name(file)


def match_records(sets: Iterable[BoxSet], pairs: NamedPairs) -> tuple[dict[int, list[Record]], int]:
    """Records by pair, and the number of records that name no pair of the data set.

    Raises:
        UserError: none of them names a pair, or one fits several.
    """
    index = PairIndex(pairs)
    by_pair: dict[int, list[Record]] = {}
    strangers = 0
    example: Record | None = None
    for found in sets:
        for record in found.records:
            places = index.find(record, found.root)
            for place in places:
                by_pair.setdefault(place, []).append(record)
            if not places:
                strangers += 1
                example = example or record
    if example is not None and not by_pair:
        raise UserError(f'boxes of {strangers} images, but none of a pair in use: e.g. boxes are of {example.name}, '
                        f'pairs are like {pairs.paths(0)[0]}')
    return by_pair, strangers
