"""File names as numpy byte strings: one block of memory, which worker processes share.

A million names as Python objects take ten times as much, and each of them is written to when it is looked at, so that
no two processes could share them. They exist for a moment only, a part of the names at a time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar('Item')
PART = 512
"""Rows that exist as Python objects at a time: too few for Python to look for garbage among all of torch's."""
Packed = NDArray[np.bytes_]
"""`(N,)` names."""
ENCODING = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
"""Of names on disk, as `os.fsencode` has it; that function takes five times as long."""


def packed(names: Iterable[str]) -> Packed:
    """Names as one block, in the order given."""
    return np.concatenate([_block(()), *map(_block, _parts(names))])


def packed_columns(rows: Iterable[Sequence[str]], count: int) -> list[Packed]:
    """Rows of `count` names as one block a column."""
    blocks = [[_block(column) for column in zip(*part, strict=True)] for part in _parts(rows)]
    return [np.concatenate(column) for column in zip([_block(())] * count, *blocks, strict=True)]


def unpacked(names: Packed, index: int) -> str:
    """One name of a block."""
    return os.fsdecode(bytes(names[index]))


def _parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    pending = iter(items)
    return iter(lambda: list(islice(pending, PART)), [])


def _block(names: Sequence[str]) -> Packed:
    return np.array([name.encode(*ENCODING) for name in names], dtype=np.bytes_)
