"""What is wrong with which pair: the rules over what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cmd_plugin.check_pairs.near import duplicates, leaks
from cmd_plugin.check_pairs.survey import GREY, Survey
from cmd_plugin.data.matching import RGB_NAMES, TIR_NAMES
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.datasets.rgbt import LEAKS

KINDS = ('unusable', 'blank', 'swapped', 'misaligned', 'duplicate', 'leak')
COLOURFUL = 5.0
"""Colourfulness from which a picture in the thermal folder is taken for a photograph."""
LIMIT = 4.0
"""Px: a quarter of a feature cell, by which a label may be beside its target."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with one pair.

    Attributes:
        index: of the pair.
        kind: one of `KINDS`.
        text: in words.
        size: how bad it is among those of its kind.
        other: index of the pair, or name of the frame, that it is like.
    """

    index: int
    kind: str
    text: str
    size: float = 0.0
    other: int | str | None = None


@dataclass(frozen=True)
class Judged:
    """Findings, by pair, and notes: what is worth a look and no mistake."""

    findings: list[Finding]
    notes: list[str]


def judge(dataset: PairedDataset, found: Survey, limit: float = LIMIT, frames: Sequence[str] = (),
          hashes: np.ndarray | None = None) -> Judged:
    """Apply the rules.

    Args:
        dataset: the pairs.
        found: what was measured.
        limit: px from which a pair counts as misaligned.
        frames, hashes: images of evaluation sequences, and their hashes.
    """
    findings = [Finding(index, 'unusable', text) for index, text in found.faults.items()]
    findings += [Finding(index, 'blank', f'{half} shows nothing: one grey value') for index, half in
                 found.blanks.items()]
    findings += _swapped(found)
    findings += _misaligned(found, limit)
    twins, video = duplicates(dataset, found)
    findings += [Finding(index, 'duplicate', f'shows what {dataset.describe(int(twins[index]))} shows', 0.0,
                         int(twins[index])) for index in np.flatnonzero(twins >= 0).tolist()]
    if hashes is not None and len(frames):
        seen = leaks(found, hashes)
        findings += [Finding(index, 'leak', f'shows what the evaluation frame {frames[seen[index]]} shows', 1.0,
                             frames[seen[index]]) for index in np.flatnonzero(seen >= 0).tolist()]
    known, notes = _known_leaks(dataset, frames)
    findings += known
    return Judged(sorted(findings, key=lambda finding: finding.index), [*notes, *_notes(dataset, found, video)])


def _swapped(found: Survey) -> Iterator[Finding]:
    with np.errstate(invalid='ignore'):
        places = np.flatnonzero((found.colours[:, 0] < GREY) & (found.colours[:, 1] > COLOURFUL))
    for index in places.tolist():
        rgb, tir = found.colours[index]
        yield Finding(index, 'swapped', f'the RGB file is grey and the TIR file is in colour (colourfulness {rgb:.1f} '
                      f'and {tir:.1f})', float(tir))


def _misaligned(found: Survey, limit: float) -> Iterator[Finding]:
    lengths = np.hypot(found.shifts[:, 0], found.shifts[:, 1])
    with np.errstate(invalid='ignore'):
        places = np.flatnonzero(lengths > limit)
    for index in places.tolist():
        dx, dy, agreement = (float(value) for value in found.shifts[index])
        yield Finding(index, 'misaligned', f'TIR lies ({dx:+.1f}, {dy:+.1f}) px beside RGB ({agreement:.0%} of the '
                      'tiles agree)', float(lengths[index]))


def _known_leaks(dataset: PairedDataset, frames: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """Training sequences that are known to show what an RGB-thermal benchmark tests."""
    named = [(index, name) for index in range(len(dataset))
             for name in LEAKS.intersection(dataset.paths(index)[1].parts)]
    two_modalities = any(part.casefold() in RGB_NAMES | TIR_NAMES for frame in (*frames[:1], *frames[-1:])
                         for part in frame.replace('\\', '/').split('/')[-2:-1])
    if named and not two_modalities:
        return [], [f'{len(named)} pairs are of {named[0][1]}, which was cut from an RGB-thermal benchmark: leave them '
                    'out to test on RGBT210, RGBT234 or LasHeR']
    return [Finding(index, 'leak', f'{name} was cut from an RGB-thermal benchmark: leave it out of training')
            for index, name in named], []


def _notes(dataset: PairedDataset, found: Survey, video: int) -> Iterator[str]:
    usable = found.usable()
    untold = np.flatnonzero(usable & np.isnan(found.shifts[:, 0]))
    with np.errstate(invalid='ignore'):
        grey = np.flatnonzero(usable & (found.colours[:, 0] < GREY) & ~(found.colours[:, 1] > COLOURFUL))
    for places, text in ((untold, 'with too few edges in common to tell their shift'),
                         (grey, 'whose RGB file is grey, so that swapped ones cannot be told')):
        if len(places):
            yield f'{len(places)} pairs {text}, such as {dataset.describe(int(places[0]))}'
    if video:
        yield f'{video} pairs look like the one before them: frames of a video'
    if dataset.alone:
        yield f'{dataset.alone} images without a twin, such as {dataset.example}'
