"""Pictures that are nearly the same, found by their hashes in time linear in their number."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.check_pairs.survey import Survey
from cmd_plugin.data.paired import PairedDataset

BITS = 6
"""Of 64, in which hashes of the same picture may differ; those of different scenes differ in about 32."""
PARTS = 4
"""Parts of a hash, one of which must be equal for two to be compared."""
WINDOW = 64
"""How many neighbours in sorted order each is compared with."""
FRAMES_APART = 30
"""Pairs of one name this far apart may be frames of one shot."""

Places = NDArray[np.intp]
Hashes = NDArray[np.uint64]
_NUMBER = re.compile(r'\d+(?=\D*$)')


def nearest_before(hashes: Hashes, allowed: Callable[[Places, Places], NDArray[np.bool_]]) -> Places:
    """For each item an earlier one that looks nearly the same.

    Items are sorted by their hash, turned so that each part of it comes first once; only neighbours in such an order
    that agree in the part are compared. So the work is linear, and of very many alike not all are compared.

    Args:
        hashes: `(n, c)`; items are alike when they are in each of the c columns. A row of zeros is like no other.
        allowed: (earlier, later) places, `(k,)` each -> `(k,)` which of these count.

    Returns:
        `(n,)` place of the most similar earlier item; -1 where there is none.
    """
    partner = np.full(len(hashes), -1, np.intp)
    best = np.full(len(hashes), 64 * hashes.shape[1] + 1, np.int64)
    told = np.flatnonzero((hashes != 0).all(axis=1))
    for column in range(hashes.shape[1]):
        for part in range(PARTS):
            turn = np.uint64(64 // PARTS * part)
            turned = (hashes[told, column] << turn) | (hashes[told, column] >> (np.uint64(64) - turn) if part else 0)
            order = np.argsort(turned, kind='stable')
            keys = turned[order] >> np.uint64(64 - 64 // PARTS)
            places = told[order]
            for lag in range(1, min(WINDOW, len(places) - 1) + 1):
                same = np.flatnonzero(keys[lag:] == keys[:-lag])
                if not len(same):
                    break
                one, other = places[same], places[same + lag]
                _improve(hashes, np.minimum(one, other), np.maximum(one, other), allowed, partner, best)
    return partner


def _improve(hashes: Hashes, early: Places, late: Places, allowed: Callable[[Places, Places], NDArray[np.bool_]],
             partner: Places, best: NDArray[np.int64]) -> None:
    """Take over those of the compared that are alike, allowed, and nearer than what was found before."""
    apart = bits_apart(hashes[early], hashes[late])
    chosen = (apart <= BITS).all(axis=1)
    early, late, total = early[chosen], late[chosen], apart[chosen].sum(axis=1)
    chosen = allowed(early, late) & (total < best[late])
    early, late, total = early[chosen], late[chosen], total[chosen]
    order = np.argsort(-total, kind='stable')  # of several for one item the last, that is the nearest, stays
    partner[late[order]], best[late[order]] = early[order], total[order]


def bits_apart(one: Hashes, other: Hashes) -> NDArray[np.int64]:
    """In how many bits hashes differ, elementwise."""
    different = np.ascontiguousarray(one ^ other)
    bits = np.unpackbits(different.view(np.uint8).reshape(*different.shape, 8), axis=-1)
    return bits.sum(axis=-1, dtype=np.int64)


def duplicates(dataset: PairedDataset, found: Survey) -> tuple[Places, int]:
    """Pairs that show what an earlier one shows, without being frames of one shot.

    Frames of one shot have names that differ in their last number, and each looks like the one before, or at most
    30 pairs lie between them.

    Returns:
        `(n,)` place of the earlier pair or -1, and the number of pairs that look like the one before in their shot.
    """
    hashes = np.where(found.usable()[:, None], found.hashes, np.uint64(0))
    names = _names_without_number(dataset)
    alike = np.zeros(len(hashes), bool)
    if len(hashes) > 1:
        alike[1:] = ((bits_apart(hashes[1:], hashes[:-1]) <= BITS).all(axis=1) & (names[1:] == names[:-1])
                     & (hashes[1:] != 0).all(axis=1))
    shots = np.cumsum(~alike)

    def in_other_shots(early: Places, late: Places) -> NDArray[np.bool_]:
        one_shot = (names[early] == names[late]) & ((shots[early] == shots[late]) | (late - early <= FRAMES_APART))
        return ~one_shot
    return nearest_before(hashes, in_other_shots), int(alike.sum())


def leaks(found: Survey, frames: Hashes) -> Places:
    """For each pair a frame of the evaluation that looks nearly like one of its halves.

    Args:
        found: the pairs.
        frames: `(m,)` hashes of the frames.

    Returns:
        `(n,)` place of the frame, -1 where there is none.
    """
    own = np.where(found.usable()[:, None], found.hashes, np.uint64(0))
    count = len(frames)
    result = np.full(len(own), -1, np.intp)
    for half in (1, 0):  # what the RGB half says goes first
        joined = np.concatenate([frames, own[:, half]])[:, None]
        partner = nearest_before(joined, lambda early, late: (early < count) & (late >= count))[count:]
        result = np.where(partner >= 0, partner, result)
    return result


def _names_without_number(dataset: PairedDataset) -> NDArray[np.intp]:
    """A number for each pair, equal for those whose names differ in their last number alone."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(_series(dataset.paths(index)[0]), len(known)) for index in range(len(dataset))],
                    np.intp)


def _series(path: Path) -> str:
    return str(path.with_name(_NUMBER.sub('#', path.stem)))
