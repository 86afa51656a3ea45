"""Lists of pairs: text files with an RGB and a TIR path a line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cmd_plugin.data.matching import RGB_NAMES, TIR_NAMES
from cmd_plugin.errors import UserError

LIST_SUFFIXES = frozenset({'.txt', '.csv'})


class PairList:
    """The pairs of a list: `RGB TIR` a line, split at a comma, tab or blank, relative to the list's folder.

    Iterate over it once, for pairs of names as they stand there; those with a file that does not exist are left out.

    Args:
        path: the list.

    Attributes:
        alone: lines left out so far.
        example: the first file that does not exist.

    Raises:
        UserError: while iterating: the list cannot be read, or a line does not hold two paths.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.alone = 0
        self.example = ''
        self._listings: dict[str, frozenset[str]] = {}

    def __iter__(self) -> Iterator[list[str]]:
        try:
            with self.path.open(encoding='utf-8-sig') as lines:
                for row in self._rows(lines):
                    if self._exists(row[0]) and self._exists(row[1]):
                        yield row
                    else:
                        self.alone += 1
                        self.example = self.example or next(cell for cell in row if not self._exists(cell))
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f'cannot read list {self.path}: {error}') from error

    def _rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Two cells a line; without comments and a header."""
        first = True
        for number, line in enumerate(lines, 1):
            row = _cells(line)
            if len(row) != 2 or '#' in line or not row[0] or not row[1]:  # most lines get by with this look
                text = line.strip()
                if not text or text[0] == '#':
                    continue
                if len(row) != 2 or not all(row):
                    raise UserError(f'{self.path}, line {number}: expected two paths (RGB, TIR), found {text!r}')
            if not first or row[0].casefold() not in RGB_NAMES or row[1].casefold() not in TIR_NAMES:
                yield row
            first = False

    def _exists(self, name: str) -> bool:
        # One listing a folder costs less than one look-up a file; the look-up settles names of other case.
        folder, _, file = name.rpartition('/')
        return file in self._listings.get(folder, ()) or self._look_up(name)

    def _look_up(self, name: str) -> bool:
        folder, _, file = name.replace(os.sep, '/').rpartition('/')
        if folder not in self._listings:
            full = self.path.parent / folder
            self._listings[folder] = frozenset(os.listdir(full) if full.is_dir() else ())
        return file in self._listings[folder] or (self.path.parent / name).is_file()


def _cells(line: str) -> list[str]:
    """Cells of a line, split at the first separator found of tab, comma, semicolon, else at blanks; without quotes."""
    for separator in '\t,;':
        if separator in line:
            return [cell.strip().strip('"') for cell in line.split(separator)]
    cells = line.split()
    return [cell.strip('"') for cell in cells] if '"' in line else cells
