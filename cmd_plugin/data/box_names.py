"""Which pair of a data set a box file speaks of."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from cmd_plugin.data.box_records import BoxSet, Modality, Record, bare_name, unmarked
from cmd_plugin.errors import UserError


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
        # By the last part of the name only: the rest is looked at when needed, a million pairs must be cheap.
        self._by_stem: dict[Modality, defaultdict[str, list[int]]] = {'rgb': defaultdict(list),
                                                                      'tir': defaultdict(list)}
        for index in range(len(pairs)):
            for modality, path in zip(self._by_stem, pairs.paths(index), strict=True):
                self._by_stem[modality][bare_name(path.name)[-1]].append(index)

    def find(self, record: Record, root: str = '') -> list[int]:
        """Indices of the pair of a record; several where a pair is in the data set more than once.

        Raises:
            UserError: several different pairs fit.
        """
        sides: Iterable[Modality] = ('rgb',) if record.modality == 'rgb' or record.joined else ('tir', 'rgb')
        for side in sides:
            found = self._find(bare_name(record.name), side, root)
            if found:
                return found
        return []

    def _find(self, name: tuple[str, ...], side: Modality, root: str) -> list[int]:
        fitting = {index: self._full_name(index, side) for index in self._by_stem[side].get(name[-1], ())}
        fitting = {index: full for index, full in fitting.items() if full[-len(name):] == name}
        longer = (*unmarked([root]), *name) if root else name
        if len(set(fitting.values())) > 1:
            fitting = {index: full for index, full in fitting.items() if full[-len(longer):] == longer} or fitting
        if len(set(fitting.values())) > 1:
            one, other = sorted({str(self.pairs.paths(index)[0]) for index in fitting})[:2]
            raise UserError(f'boxes of {"/".join(name)} fit several pairs, e.g. {one} and {other}: '
                            'keep box files in folders like those of the pairs')
        return list(fitting)

    def _full_name(self, index: int, side: Modality) -> tuple[str, ...]:
        path = self.pairs.paths(index)[0 if side == 'rgb' else 1]
        return bare_name(Path(os.path.abspath(path)).as_posix())


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
