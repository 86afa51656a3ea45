"""One look at every pair: what is measured is kept in arrays, so that a million pairs take little memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cmd_plugin.check_pairs.looks import colourfulness, contrast, perceptual_hash
from cmd_plugin.check_pairs.registration import NAN, UNKNOWN, Shift, measure_shift
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.data.reading import read_rgb, read_tir
from cmd_plugin.errors import UserError
from ltr.data.files import FRAMES, list_frames, walk_folders

FLAT = 2.0
"""Grey values of standard deviation below which a picture shows nothing."""
GREY = 2.0
"""Colourfulness below which a picture is grey."""
BATCH = 256
In = TypeVar('In')
Out = TypeVar('Out')


@dataclass(frozen=True)
class Look:
    """One pair: why it cannot be used (or nothing), which half is blank (or none), and what was measured."""

    fault: str = ''
    blank: str = ''
    shift: Shift = UNKNOWN
    colours: tuple[float, float] = (NAN, NAN)
    hashes: tuple[int, int] = (0, 0)


@dataclass
class Survey:
    """All pairs of a data set, by index.

    Attributes:
        shifts: `(n, 3)` dx, dy (image px) and agreement, see `Shift`; NaN where not told.
        colours: `(n, 2)` colourfulness of the RGB and the TIR file; of the latter NaN where the former is no grey one.
        hashes: `(n, 2)` uint64 perceptual hashes, RGB and TIR.
        faults, blanks: index -> what is wrong, of the few that something is wrong with.
    """

    shifts: NDArray[np.float32]
    colours: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    faults: dict[int, str]
    blanks: dict[int, str]

    def usable(self) -> NDArray[np.bool_]:
        """`(n,)`: pairs that could be read and show something in both halves."""
        mask = np.ones(len(self.shifts), bool)
        mask[[*self.faults, *self.blanks]] = False
        return mask


def survey(dataset: PairedDataset, threads: int = 1) -> Survey:
    """Look at every pair, with a progress bar on stderr."""
    count = len(dataset)
    found = Survey(np.full((count, 3), np.nan, np.float32), np.full((count, 2), np.nan, np.float32),
                   np.zeros((count, 2), np.uint64), {}, {})
    looks = _mapped(lambda index: look(dataset, index), range(count), threads)
    for index, one in enumerate(tqdm(looks, 'pairs', count, unit='', file=sys.stderr, disable=None)):
        found.shifts[index] = one.shift.dx, one.shift.dy, one.shift.agreement
        found.colours[index] = one.colours
        found.hashes[index] = one.hashes
        if one.fault:
            found.faults[index] = one.fault
        elif one.blank:
            found.blanks[index] = one.blank
    return found


def look(dataset: PairedDataset, index: int) -> Look:
    """Read and measure one pair."""
    try:
        pair = dataset.read(index)
    except UserError as error:
        return Look(fault=str(error))
    rgb, tir = np.ascontiguousarray(pair[..., :3]), np.ascontiguousarray(pair[..., 3])
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    colour = colourfulness(rgb)
    blank = ' and '.join(name for name, image in (('RGB', grey), ('TIR', tir)) if contrast(image) < FLAT)
    if blank:
        return Look(blank=blank, colours=(colour, NAN))
    # The thermal file is decoded in colour only where it may be the RGB one.
    other = colourfulness(_tir_as_stored(dataset, index)) if colour < GREY else NAN
    hashes = int(perceptual_hash(grey)), int(perceptual_hash(tir))
    return Look('', '', measure_shift(grey, tir), (colour, other), hashes)


def frames_below(folders: Iterable[Path]) -> list[str]:
    """All images below folders of evaluation sequences.

    Raises:
        UserError: a folder that is not there or holds no image.
    """
    found: list[str] = []
    for root in folders:
        if not root.is_dir():
            raise UserError(f'--against: no folder {root}')
        before = len(found)
        for folder, _ in walk_folders(root):
            found += list_frames(folder) + list_frames(folder / FRAMES)
        if len(found) == before:
            raise UserError(f'--against: no image below {root}')
    return found


def hash_frames(frames: list[str], threads: int = 1) -> tuple[NDArray[np.uint64], list[str]]:
    """Perceptual hash `(m,)` of every frame, 0 for blank and unreadable ones, and what is wrong with the latter."""
    faults: list[str] = []

    def one(path: str) -> int | str:
        try:
            grey = read_tir(path)
        except UserError as error:
            return str(error)
        return 0 if contrast(grey) < FLAT else int(perceptual_hash(grey))

    hashes = np.zeros(len(frames), np.uint64)
    results = _mapped(one, frames, threads)
    for place, result in enumerate(tqdm(results, 'against', len(frames), unit='', file=sys.stderr, disable=None)):
        if isinstance(result, str):
            faults.append(result)
        else:
            hashes[place] = result
    return hashes, faults


def _tir_as_stored(dataset: PairedDataset, index: int) -> NDArray[np.uint8]:
    """The thermal half with the colours of its file, uint8 `(H, W, 3)`."""
    rgb_path, tir_path = dataset.paths(index)
    image = read_rgb(tir_path)
    return np.ascontiguousarray(image[:, image.shape[1] // 2:]) if rgb_path == tir_path else image


def _mapped(function: Callable[[In], Out], items: Iterable[In], threads: int) -> Iterator[Out]:
    """Results in order; never more than a batch is under way."""
    pending = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(pending, BATCH)):
            yield from pool.map(function, batch)
