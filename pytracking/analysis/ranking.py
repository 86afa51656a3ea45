"""Which sequences a tracker does best and worst, and in which frames it loses the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import pytracking.evaluation.data as data
from pytracking.analysis.extract_results import TrackerResult
from pytracking.analysis.frames import frame_overlaps
from pytracking.analysis.protocols import MeasureName

LOST = 0.1


@dataclass(frozen=True)
class Stretch:
    """Frames in a row, numbered from 1, and their mean overlap."""

    first: int
    last: int
    overlap: float

    def __str__(self) -> str:
        frames = f'{self.first}' if self.first == self.last else f'{self.first}-{self.last}'
        return f'{frames} ({self.overlap:.2f})'


@dataclass(frozen=True)
class RankedSequence:
    """One sequence in a tracker's ranking: its figure in [0, 1], and its worst frames."""

    name: str
    figure: float
    worst: tuple[Stretch, ...]


def worst_stretches(overlaps: np.ndarray, count: int = 3, lost: float = LOST) -> tuple[Stretch, ...]:
    """The longest stretches in which the target is lost, or else the frames of lowest overlap.

    Args:
        overlaps: (n,) as from `frame_overlaps`; frames with an invalid ground truth (-1) are passed over, NaN is 0.
        count: at most so many.
        lost: an overlap below this is a loss.
    """
    frames = np.flatnonzero(overlaps != -1)
    values = np.nan_to_num(overlaps[frames], nan=0.0)
    below = np.flatnonzero(values < lost)
    if not len(below):
        lowest = np.argsort(values, kind='stable')[:count]
        return tuple(Stretch(int(frames[i]) + 1, int(frames[i]) + 1, float(values[i])) for i in lowest)
    runs = np.split(below, np.flatnonzero(np.diff(below) > 1) + 1)
    runs.sort(key=len, reverse=True)
    return tuple(Stretch(int(frames[run[0]]) + 1, int(frames[run[-1]]) + 1, float(values[run].mean()))
                 for run in runs[:count])


def rank_sequences(item: TrackerResult, sequences: Mapping[str, data.Sequence], measure: MeasureName,
                   stretches: int = 3) -> list[RankedSequence]:
    """A tracker's sequences, the best first; ties by name."""
    figures = item.result.sequence_figures(measure)
    ranked = []
    for name in sorted(figures, key=lambda name: (-figures[name], name)):
        worst: tuple[Stretch, ...] = ()
        if name in item.boxes:
            worst = worst_stretches(frame_overlaps(item.boxes[name], sequences[name], item.result.protocol), stretches)
        ranked.append(RankedSequence(name, figures[name], worst))
    return ranked


def ranking_text(item: TrackerResult, ranked: Sequence[RankedSequence], measure: MeasureName, count: int = 5) -> str:
    """The best and worst `count` sequences with their worst frames; all of them where there are no more than that."""
    label = item.result.protocol.measures[measure].label
    lines = [f'{item.label}: {label} by sequence, x 100, and its worst frames (mean overlap)']
    gap = len(ranked) - 2 * count
    shown = [*ranked[:count], None, *ranked[-count:]] if gap > 0 else list(ranked)
    for one in shown:
        if one is None:
            lines.append(f'  ... {gap} more ...')
        else:
            frames = ', '.join(map(str, one.worst))
            lines.append(f'  {100 * one.figure:5.1f}  {one.name}' + (f'  frames {frames}' if frames else ''))
    return '\n'.join(lines)
