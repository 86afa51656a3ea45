"""The test runs: thermal sequences from several start points, with the video and the kind of target of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cmd_plugin.reproduce.places import Data
from cmd_plugin.reproduce.sizes import Size
from ltr.data.box_text import read_table
from pytracking.evaluation import SequenceList, get_dataset
from pytracking.evaluation.data import Sequence

CLASSES = {1: 'people', 2: 'vehicles', 3: 'vehicles'}
"""Of MOT text: persons, bicycles, cars."""
NAMES = {'uav': 'UAVs', 'horse': 'animals'}
"""Of single sequences, by how they are called."""
OTHERS = 'others'
LEAST = 20
"""Frames; a shorter run says little."""


@dataclass(frozen=True)
class Run:
    """One start point, or a whole sequence.

    Attributes:
        sequence: frames and truth from the start point on.
        video: what it is a part of; runs of one video are no independent evidence.
        group: kind of target.
    """

    sequence: Sequence
    video: str
    group: str


def labelled(data: Data, most: int = 0) -> list[Run]:
    """The sequences of the test videos as they are, in order of video and name; at most `most` of each, all for 0."""
    found = []
    for root in (data.root / 'tir', data.root / 'tir_mot'):
        by_video: dict[str, list[Sequence]] = {}
        for sequence in get_dataset('folder', root=root):
            by_video.setdefault(video_of(sequence), []).append(sequence)
        found += [Run(sequence, video, group_of(sequence, root)) for video, sequences in by_video.items()
                  for sequence in spread(sequences, most)]
    return found


def test_runs(data: Data, size: Size) -> list[Run]:
    """All runs of the test videos, in order of video and name."""
    return [Run(part, found.video, found.group) for found in labelled(data, size.runs)
            for part in parts(found.sequence, size.run_frames, size.run_gap)]


def videos_of(runs: list[Run]) -> list[str]:
    """Their videos, each once, in order."""
    return list(dict.fromkeys(run.video for run in runs))


def sequences_of(runs: list[Run]) -> SequenceList:
    """The sequences of runs."""
    return SequenceList([run.sequence for run in runs])


def video_of(sequence: Sequence) -> str:
    """The folder of its frames' folder."""
    return Path(sequence.frames[0]).parent.parent.name


def spread(sequences: list[Sequence], most: int) -> list[Sequence]:
    """At most `most` of them, evenly spread over their order; all for 0."""
    if not most or len(sequences) <= most:
        return sequences
    return [sequences[int(place)] for place in np.linspace(0, len(sequences) - 1, most).round()]


def parts(sequence: Sequence, frames: int, gap: int) -> list[Sequence]:
    """Runs of at most `frames` frames from every `gap`-th frame on, each beginning with a usable box.

    Named `<sequence>@<frame from 0>`. A run has at least `LEAST` frames, unless it is the only one.
    """
    usable = np.flatnonzero((sequence.ground_truth_rect > 0).all(axis=1))
    made: list[Sequence] = []
    for wanted in range(0, len(sequence.frames), gap):
        later = usable[usable >= wanted]
        if not len(later) or (made and len(sequence.frames) - later[0] < LEAST):
            break
        if later[0] >= wanted + gap:
            continue
        stop = int(later[0]) + frames
        made.append(Sequence(f'{sequence.name}@{later[0]}', sequence.frames[later[0]:stop], sequence.dataset,
                             sequence.ground_truth_rect[later[0]:stop]))
    return made


def group_of(sequence: Sequence, root: Path) -> str:
    """Kind of target: by the class in MOT text, else by the name of the sequence."""
    text = Path(sequence.frames[0]).parent.parent / 'gt' / 'gt.txt'
    if text.is_file():
        table = read_table(text, 6, 8)
        classes = table[table[:, 1] == int(sequence.name.rsplit('_', 2)[1]), 7:]
        return CLASSES.get(int(classes.flat[0]), OTHERS) if classes.size else OTHERS
    return next((group for start, group in NAMES.items() if sequence.name.startswith(start)), OTHERS)
