"""Names: which folders are the two halves of a pair set, and which files in them are twins."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

RGB_NAMES = frozenset({'visible', 'vis', 'vi', 'v', 'rgb', 'color', 'colour'})
TIR_NAMES = frozenset({'infrared', 'ir', 'i', 'thermal', 'tir', 't', 'lwir', 'fir'})
"""Folder names of the two modalities, compared without case."""

NO_DIGITS = str.maketrans('123456789', '0' * 9)
Key = Callable[[str], str]


def natural(names: list[str]) -> list[str]:
    """Names in natural order (`2` before `10`), the same on every machine."""
    # The plain sort first: names that differ in leading zeros only have equal keys below. And it is all there is to do
    # for `000001.jpg`, `000002.jpg` ...: among names with their digits at the same places no number is shorter.
    plain = sorted(names)
    places = ''.join(plain).translate(NO_DIGITS)
    if len(set(map(len, plain))) == 1 and places == places[:len(plain[0])] * len(plain):
        return plain
    return sorted(plain, key=lambda name: re.sub(r'\d+', lambda digits: digits[0].zfill(20), name))


def match_twins(rgb: list[str], tir: list[str]) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Match the files of two twin folders.

    First by equal name without extension (sub-folders included); what is left over by the name without its
    mark of modality, in front or behind: `00001v` / `00001i` (RGBT234), `v0001` / `i0001` (LasHeR), `a_RGB` /
    `a_thermal`.

    Args:
        rgb, tir: relative names with `/`, in natural order.

    Returns:
        RGB names, TIR names of equal length in the order of `rgb`, and `('rgb' | 'tir', name)` of those
        without a twin.
    """
    if rgb == tir:
        return rgb, tir, []
    twin_of, rgb_left, tir_left = _join(rgb, tir, _stem, _stem)
    marked, rgb_left, tir_left = _join(rgb_left, tir_left, _unmarked(RGB_NAMES), _unmarked(TIR_NAMES))
    twin_of.update(marked)
    matched = [name for name in rgb if name in twin_of]
    alone = [('rgb', name) for name in rgb_left] + [('tir', name) for name in tir_left]
    return matched, [twin_of[name] for name in matched], alone


def _join(rgb: Sequence[str], tir: Sequence[str], rgb_key: Key, tir_key: Key,
          ) -> tuple[dict[str, str], list[str], list[str]]:
    """Join names of equal key, each at most once; of several with one key the first is taken."""
    by_key: dict[str, str] = {}
    for name in tir:
        by_key.setdefault(tir_key(name), name)
    twin_of: dict[str, str] = {}
    rgb_left = []
    for name in rgb:
        twin = by_key.pop(rgb_key(name), None)
        if twin is None:
            rgb_left.append(name)
        else:
            twin_of[name] = twin
    taken = set(twin_of.values())
    return twin_of, rgb_left, [name for name in tir if name not in taken]


def _stem(name: str) -> str:
    """Relative name without extension."""
    return name[:name.rfind('.')]


def _unmarked(marks: frozenset[str]) -> Key:
    """Key that removes one mark of modality, and the sign that joins it, from either end of the name."""
    choice = '|'.join(sorted(marks, key=len, reverse=True))
    behind = re.compile(rf'(?:[_\-. ]|(?<![a-z]))(?:{choice})$', re.IGNORECASE)
    before = re.compile(rf'^(?:{choice})(?![a-z])[_\-. ]?', re.IGNORECASE)

    def key(name: str) -> str:
        folder, _, stem = _stem(name).rpartition('/')
        bare = behind.sub('', stem)
        return f'{folder}/{before.sub("", stem) if bare == stem else bare}'
    return key
