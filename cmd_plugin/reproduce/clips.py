"""Selection without labels: the parent's tracks on visible clips stand in for the truth on their thermal halves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cmd_plugin.data.pseudo_boxes import CenterArea
from cmd_plugin.detect.detecting import pair_name
from cmd_plugin.reproduce.pairs import SomePairs, divide_pairs
from cmd_plugin.reproduce.places import Data, Work, read_json, write_json
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.sources import boxes_of, records
from cmd_plugin.reproduce.tracking import FileTracker, track
from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence, SequenceList
from pytracking.evaluation.results import read_boxes

AGREEMENT = 0.3
"""Overlap of the parent's last box with a detected one, for its track to be believed."""


def starts(pairs: SomePairs, frames: int) -> list[range]:
    """Stretches of a clip of at most `frames` frames, one after the other; what is left over is too short for one."""
    ends = range(frames, len(pairs) + 1, frames)
    return [range(end - frames, end) for end in ends] or [range(len(pairs))]


def targets(data: Data, work: Work, size: Size) -> list[dict[str, Any]]:
    """Stretches with a first box each: what was detected in the first frame, else the square in its centre."""
    _, clips = divide_pairs(data.root / 'pairs')
    found = records(data, work)
    made = []
    for clip, pairs in clips.items():
        for stretch in starts(pairs, size.clip_frames):
            files = [pairs.paths(index) for index in stretch]
            record = found.get(pair_name(files[0][0], data.root / 'pairs'))
            boxes = boxes_of(record)[:size.clip_targets]
            detected = bool(boxes)
            if not boxes:
                boxes = [CenterArea()(0, read_image(files[0][0]).shape[:2], np.random.default_rng(0))]  # type: ignore
            made += [{'name': f'{clip.replace("/", "_")}_{stretch.start}_{number}', 'box': list(map(float, box)),
                      'rgb': [str(rgb) for rgb, _ in files], 'tir': [str(tir) for _, tir in files],
                      'detected': detected} for number, box in enumerate(boxes)]
    return made


def make_clips(data: Data, work: Work, size: Size, device: str | None) -> None:
    """Track the visible halves with the parent, and write down which tracks are believed."""
    found = records(data, work)
    stretches = targets(data, work, size)
    sequences = SequenceList([Sequence(one['name'], one['rgb'], 'clips', np.tile(one['box'], (len(one['rgb']), 1)))
                              for one in stretches])
    tracker = FileTracker('parent', work.parent, size.crop, work.tracking / 'clips_rgb', device)
    track([tracker], sequences, size.threads)
    kept: list[dict[str, Any]] = []
    doubted: list[dict[str, Any]] = []
    for one, sequence in zip(stretches, sequences, strict=True):
        one['truth'] = read_boxes(tracker.results_dir, sequence).tolist()
        last = boxes_of(found.get(pair_name(Path(one['rgb'][-1]), data.root / 'pairs')))
        sure = not one['detected'] or any(overlap(one['truth'][-1], box) > AGREEMENT for box in last)
        (kept if sure else doubted).append(one)
    print(f'selection clips: {len(kept)} tracks of the parent are believed, {len(doubted)} are not (no detected box at '
          f'their end){"; as there are no others they are all taken" if not kept else ""}')
    write_json(work.clips, {'clips': kept or doubted, 'doubted': len(doubted)})


def thermal_clips(work: Work) -> SequenceList:
    """The thermal halves with the pseudo truth."""
    return SequenceList([Sequence(one['name'], one['tir'], 'clips', np.array(one['truth']))
                         for one in read_json(work.clips)['clips']])


def overlap(first: Any, second: Any) -> float:
    """Intersection over union of two boxes `xywh`."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(np.add(first[:2], first[2:]), np.add(second[:2], second[2:]))
    inner = float(np.prod(np.clip(high - low, 0, None)))
    return inner / (first[2] * first[3] + second[2] * second[3] - inner)
