"""Run a detector over the RGB halves of a data set, once."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cmd_plugin.data.box_choice import clip_boxes
from cmd_plugin.data.box_coco import coco_info, read_coco, write_coco
from cmd_plugin.data.box_records import Found, Record
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.detect.detector import Detector
from cmd_plugin.detect.journal import Journal
from cmd_plugin.errors import UserError

logger = logging.getLogger(__name__)
MOST = 100
"""Boxes an image, by confidence."""


def detect_pairs(dataset: PairedDataset, root: Path, detector: Detector, out: Path, classes: Set[str],
                 score: float) -> str:
    """Detect on every pair that has no boxes yet and write COCO JSON.

    What is found goes into a journal beside `out`, image by image; the file itself is written at the end. A second run
    goes on where the first stopped, in whatever way it did, and gives the same bytes. Pairs that have come to the
    folder since then are added.

    Args:
        dataset: the pairs.
        root: what the names in the file are relative to: the folder of the pairs, or their list.
        detector: finds boxes.
        out: file to write.
        classes: what to keep.
        score: least confidence.

    Returns:
        One line on what was done.

    Raises:
        UserError: `out` was made with other settings, cannot be written, or no pair could be used.
    """
    run = {'source': detector.source, 'score': score,
           'classes': 'all' if classes >= set(detector.names) else ','.join(sorted(classes))}
    names = [pair_name(dataset.paths(index)[0], root) for index in range(len(dataset))]
    earlier = _earlier(out, run)
    with Journal(out.with_name(f'{out.name}.part'), run) as journal:
        journal.done.update((name, record) for name, record in earlier.items() if name not in journal.done)
        missing = [index for index, name in enumerate(names) if name not in journal.done]
        skipped = _detect(dataset, names, missing, detector, classes, score, journal)
        records = [journal.done[name] for name in dict.fromkeys(names) if name in journal.done]
        if not records:
            raise UserError(f'none of {len(dataset)} pairs could be used, e.g. {skipped[0]}')
        write_coco(out, records, {**run, 'root': folder_name(root)})
    journal.path.unlink()
    count, bare = sum(len(record.boxes) for record in records), sum(not record.boxes for record in records)
    lost = f'; {len(skipped)} pairs could not be used, e.g. {skipped[0]}' if skipped else ''
    return (f'boxes: {count} on {len(records) - bare} of {len(records)} pairs, {bare} without (random_sampling will '
            f'serve them), {len(missing) - len(skipped)} of them new{lost}: {out} (train with CMD_BOXES={out})')


def pair_name(path: Path, root: Path) -> str:
    """Name of a file in box files: relative to the folder of the pairs, or of their list, with `/`."""
    folder = root.parent if root.is_file() else root
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # Another drive.
        return path.as_posix()


def folder_name(root: Path) -> str:
    """Name of the folder that names are relative to."""
    return (root.parent if root.is_file() else root).resolve().name


def _detect(dataset: PairedDataset, names: list[str], missing: list[int], detector: Detector, classes: Set[str],
            score: float, journal: Journal) -> list[str]:
    """Detect on some pairs; returns what was wrong with those that could not be used."""
    skipped: list[str] = []
    with tqdm(total=len(names), initial=len(names) - len(missing), desc='detect', unit='pair', file=sys.stderr,
              disable=not missing) as bar:
        for index in missing:
            try:
                image = np.ascontiguousarray(dataset.read(index)[..., :3])
            except UserError as error:
                logger.warning('skipped: %s', error)
                skipped.append(str(error))
            else:
                journal.add(Record(names[index], 'rgb', _find(image, detector, classes, score), image.shape[:2]))
            bar.update()
    return skipped


def _find(image: NDArray[np.uint8], detector: Detector, classes: Set[str], score: float) -> tuple[Found, ...]:
    """Boxes of one image, clipped to it, the most confident first."""
    found = detector(image, score)
    wanted = [place for place, label in enumerate(found.labels) if label in classes]
    boxes, kept = clip_boxes(found.boxes[wanted].reshape(-1, 4).astype(np.float64), image.shape[:2])
    places = [wanted[number] for number in kept][:MOST]
    # Hundredths of a pixel: what a rerun on another build of the same libraries still agrees on.
    corners = boxes[:MOST].round(2).tolist()
    return tuple(Found(x1, y1, x2, y2, round(float(found.scores[place]), 4), found.labels[place])
                 for (x1, y1, x2, y2), place in zip(corners, places, strict=True))


def _earlier(out: Path, run: dict[str, Any]) -> dict[str, Record]:
    """What a finished run has left, under the same settings."""
    if not out.exists():
        return {}
    info = coco_info(out)
    different = [f'{name} {info.get(name)!r}, now {value!r}' for name, value in run.items() if info.get(name) != value]
    if different:
        raise UserError(f'{out} was made with other settings ({"; ".join(different)}): remove it, or choose '
                        'another --out')
    return {record.name: record for record in read_coco(out).records}
