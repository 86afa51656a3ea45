"""Selection without labels: targets detected on visible clips stand in for the truth on their thermal halves."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np

from cmd_plugin.data.box_records import Found, Record
from cmd_plugin.detect.detecting import pair_name
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce.chains import chains, overlap
from cmd_plugin.reproduce.pairs import SomePairs, divide_pairs
from cmd_plugin.reproduce.places import Data, Work, read_json, write_json
from cmd_plugin.reproduce.shaken import inside, moved, shake
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.sources import large_enough, records
from cmd_plugin.reproduce.tracking import FileTracker, track
from pytracking.evaluation.data import Sequence, SequenceList
from pytracking.evaluation.results import read_boxes

SEED = 0
"""Of the moves of the camera."""
AGREEMENT = 0.3
"""Overlap of the parent's last box on RGB with the detected one, for a target to be one that can be tracked."""
INSIDE = 0.8
"""Share of a target that is within the moved image, in every frame."""
WARM = frozenset(('person', 'bicycle', 'car', 'motorcycle', 'bus', 'train', 'truck', 'bird', 'cat', 'dog', 'horse',
                  'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe'))
"""What is looked for: a tent or a poster would be no target on the thermal half."""
LEAST = 0.6
"""Share of a stretch that a target must be seen in."""


def starts(pairs: SomePairs, frames: int) -> list[range]:
    """Stretches of a clip of at most `frames` frames, one after the other; what is left over is too short for one."""
    ends = range(frames, len(pairs) + 1, frames)
    return [range(end - frames, end) for end in ends] or [range(len(pairs))]


def warm(record: Record | None) -> list[Found]:
    """Detections of people, animals and vehicles that are no mere specks."""
    return [box for box in large_enough(record) if box.label in WARM]


def targets(data: Data, work: Work, size: Size) -> list[dict[str, Any]]:
    """Detected targets of all stretches, at most `clip_targets` each, with their shaken files and boxes.

    Raises:
        UserError: there is none.
    """
    root = data.root / 'pairs'
    found = records(data, work)
    made: list[dict[str, Any]] = []
    stretches = [(clip, pairs, stretch) for clip, pairs in divide_pairs(root)[1].items()
                 for stretch in starts(pairs, size.clip_frames)]
    for place, (clip, pairs, stretch) in enumerate(stretches):
        frames = [warm(found.get(pair_name(pairs.paths(index)[0], root))) for index in stretch]
        name = f'{clip.replace("/", "_")}_{stretch.start}'
        files, maps, image = shake(pairs, stretch, work.shaken / name, np.random.default_rng((SEED, place)))
        seen = [(chain, truth) for chain in chains(frames, math.ceil(LEAST * len(files)))
                if (inside(truth := moved(chain.boxes, maps[chain.start:chain.stop]), image) >= INSIDE).all()]
        for number, (chain, truth) in enumerate(seen[:size.clip_targets]):
            part = files[chain.start:chain.stop]
            made.append({'name': f'{name}_{number}', 'clip': clip, 'rgb': [rgb for rgb, _ in part],
                         'tir': [tir for _, tir in part], 'truth': truth.round(2).tolist()})
    if not made:
        raise UserError(f'on no selection clip of {root} was a target detected in most frames of a stretch, so '
                        'nothing can be chosen: give clips with people or vehicles')
    return made


def make_clips(data: Data, work: Work, size: Size, device: str | None) -> None:
    """Track the visible halves with the parent, and write down the targets that it can follow there."""
    found = targets(data, work, size)
    sequences = SequenceList([Sequence(one['name'], one['rgb'], 'clips', np.array(one['truth'])) for one in found])
    tracker = FileTracker('parent', work.parent, size.crop, work.scratch / 'clips_rgb', device)
    shutil.rmtree(tracker.results_dir, ignore_errors=True)  # perhaps of other frames
    track([tracker], sequences, size.threads)
    kept = [one for one, sequence in zip(found, sequences, strict=True)
            if overlap(read_boxes(tracker.results_dir, sequence)[-1], one['truth'][-1]) > AGREEMENT]
    doubted = len(found) - len(kept)
    print(f'selection clips: {len(found)} detected targets, {doubted} of them lost by the parent on RGB'
          f'{"; as there are no others they are all taken" if not kept else ""}')
    write_json(work.clips, {'clips': kept or found, 'doubted': doubted})


def by_clip(work: Work, figures: Mapping[str, float]) -> dict[str, float]:
    """Means of the targets' figures over each clip."""
    found: dict[str, list[float]] = {}
    for one in read_json(work.clips)['clips']:
        found.setdefault(one['clip'], []).append(figures[one['name']])
    return {clip: round(float(np.mean(values)), 4) for clip, values in found.items()}


def thermal_clips(work: Work) -> SequenceList:
    """The thermal halves with the pseudo truth."""
    return SequenceList([Sequence(one['name'], one['tir'], 'clips', np.array(one['truth']))
                         for one in read_json(work.clips)['clips']])
