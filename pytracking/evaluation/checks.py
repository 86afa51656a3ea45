"""What may be wrong with a data set on disk: frames, counts, images, boxes, attributes, names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.files import walk_folders
from ltr.data.image_loader import BadFrameError, read_image
from pytracking.evaluation.data import BaseDataset
from pytracking.evaluation.diskdataset import DiskDataset, FoundSequence, Skips, number_gap, unique_names

JUMP = 5.0   # centres this many target sizes apart in two frames
GROWTH = 4.0  # areas this many times apart
Size = tuple[int, int]


@dataclass(frozen=True)
class Finding:
    """One line of the report; `wrong`: it must be mended, else it is worth a look."""

    sequence: str
    text: str
    wrong: bool


@dataclass(frozen=True)
class Checked:
    """One sequence folder, or what concerns the whole set (0 frames)."""

    name: str
    frames: int
    findings: tuple[Finding, ...]


def check_dataset(dataset: BaseDataset, all_images: bool = True, threads: int = 4) -> Iterator[Checked]:
    """Check a data set, folder by folder; nothing that is found in one stops it.

    Args:
        dataset: one of folders, or any other, which must then be readable as a whole.
        all_images: read every image, else the first and the last of each sequence.
        threads: that read images.

    Raises:
        UserError: there is no sequence at all, or a list of sequences names one that is not there.
    """
    with ThreadPoolExecutor(threads) as pool:
        read = partial(_image_sizes, pool, all_images, {})
        if not isinstance(dataset, DiskDataset):
            for item in dataset.get_sequence_list():
                found = FoundSequence((item.name,), '', item.frames, item.ground_truth_rect, item.second_frames,
                                      item.second_ground_truth_rect)
                yield Checked(item.name, len(item.frames), tuple(check_sequence(
                    item.name, found, read if dataset.has_images else None)))
            return
        everything: list[FoundSequence] = []
        folder = None
        for folder, parts in dataset.folders():
            yield _check_folder(dataset, folder, parts, everything, read)
    if folder is None:
        raise UserError(f'no sequence below {dataset.root}; expected {dataset.expected}')
    yield Checked(dataset.name, 0, tuple(_guarded(dataset.name, lambda: unique_names(everything))))


def check_training(dataset: BaseDataset, training: Path) -> Iterator[Finding]:
    """Training sequences that show what the data set tests.

    Raises:
        UserError: `training` is no folder.
    """
    if not training.is_dir():
        raise UserError(f'no folder of training sequences {training}')
    for folder, parts in walk_folders(training):
        if parts[-1] in dataset.leaks:
            yield Finding(parts[-1], f'{folder} shows what is tested here: leave it out of training', True)


def check_sequence(name: str, found: FoundSequence, read: Callable[[list[str]], tuple[list[Size], list[str]]] | None,
                   ) -> Iterator[Finding]:
    """Check frames and boxes of a sequence that could be read.

    Args:
        name: for the findings.
        found: the sequence.
        read: image files -> sizes (width, height) by frame, (0, 0) where not known, and what is wrong with them;
            None: there are no images.
    """
    channels = [(found.frames, found.boxes)]
    if found.second_frames is not None:
        channels.append((found.second_frames, found.boxes if found.second_boxes is None else found.second_boxes))
        if len(found.second_frames) != len(found.frames):
            yield Finding(name, f'{len(found.frames)} and {len(found.second_frames)} images in the two channels', True)
    for number, (frames, boxes) in enumerate(channels):
        which = ' of the second channel' if number else ''
        sizes, faults = read(frames) if read else ([(0, 0)] * len(frames), [])
        yield from (Finding(name, fault, True) for fault in faults)
        gap = number_gap(frames)
        if gap is not None and not faults:
            yield Finding(name, f'file names{which} leave out number {gap}', False)
        known = {size for size in sizes if size != (0, 0)}
        if len(known) > 1:
            yield Finding(name, f'images{which} of {len(known)} sizes', False)
        if number == 0 or (found.second_boxes is not None and len(sizes) == len(boxes)):
            labels = [Path(frame).name if read else str(i + 1) for i, frame in enumerate(frames)]
            yield from (Finding(name, text + which, wrong) for text, wrong in odd_boxes(boxes, sizes, labels))


def odd_boxes(boxes: np.ndarray, sizes: list[Size], labels: list[str]) -> Iterator[tuple[str, bool]]:
    """What is odd about boxes (n, 4) `xywh` in images of these sizes, and whether that is wrong.

    Each kind is told in one line, with the labels of its first frames.
    """
    with np.errstate(invalid='ignore', divide='ignore'):
        unknown = np.isnan(boxes).any(axis=1)
        empty = ~unknown & (boxes[:, 2:] <= 0).any(axis=1)
        usable = ~unknown & ~empty
        extent = np.array(sizes[:len(boxes)], dtype=float)
        outside = usable & (extent > 0).all(axis=1) & (
            (boxes[:, :2] >= extent) | (boxes[:, :2] + boxes[:, 2:] <= 0)).any(axis=1)
        centre, side = boxes[:, :2] + boxes[:, 2:] / 2, np.sqrt(boxes[:, 2:].clip(min=0).prod(axis=1))
        both = usable[1:] & usable[:-1]
        step = np.linalg.norm(np.diff(centre, axis=0), axis=1) / np.maximum(side[:-1], side[1:])
        growth = np.maximum(side[1:], side[:-1]) / np.minimum(side[1:], side[:-1])
    jump = np.concatenate([[False], both & (step > JUMP)])
    grown = np.concatenate([[False], both & (growth ** 2 > GROWTH)])
    edge = usable & (boxes[:, :2] <= 0).any(axis=1)
    for rows, text, wrong in (
            (outside, 'boxes wholly outside the image', True), (unknown, 'rows of NaN', False),
            (empty, 'boxes without width or height', False),
            (edge, 'boxes with x or y <= 0 (invalid by lsotb, ptb, lasher)', False),
            (jump, f'jumps of more than {JUMP:g} target sizes', False),
            (grown, f'changes of area by more than {GROWTH:g} times', False)):
        if rows.any():
            first = ', '.join(labels[row] for row in np.flatnonzero(rows)[:3])
            yield f'{int(rows.sum())} {text} ({first}{", ..." if rows.sum() > 3 else ""})', wrong


def _check_folder(dataset: DiskDataset, folder: Path, parts: tuple[str, ...], everything: list[FoundSequence],
                  read: Callable[[list[str]], tuple[list[Size], list[str]]]) -> Checked:
    label = '/'.join(parts)
    skips, found = Skips(), list[FoundSequence]()
    findings = list(_guarded(label, lambda: found.extend(dataset.read(folder, parts, skips))))
    findings += [Finding(name, reason, reason not in skips.harmless)
                 for reason, names in skips.reasons.items() for name in names]
    findings += _guarded(label, lambda: dataset.attributes(parts[-1]))
    for item in found:
        findings += check_sequence(label + item.suffix, item, read)
    everything += found
    return Checked(label, sum(len(item.frames) for item in found), tuple(findings))


def _guarded(name: str, action: Callable[[], object]) -> Iterator[Finding]:
    try:
        action()
    except UserError as error:
        yield Finding(name, str(error), True)


def _image_sizes(pool: ThreadPoolExecutor, every: bool, seen: dict[str, Size | str],
                 frames: list[str]) -> tuple[list[Size], list[str]]:
    """Sizes (width, height) by frame, and a line about those that cannot be read; `seen` keeps what has been read."""
    chosen = frames if every or len(frames) < 3 else [frames[0], frames[-1]]
    new = [path for path in chosen if path not in seen]
    seen.update(zip(new, pool.map(_image_size, new), strict=True))
    results = [seen.get(path, (0, 0)) for path in frames]
    faults = [result for result in results if isinstance(result, str)]
    sizes = [(0, 0) if isinstance(result, str) else result for result in results]
    more = f' (and {len(faults) - 1} more images)' if len(faults) > 1 else ''
    return sizes, [faults[0] + more] if faults else []


def _image_size(path: str) -> Size | str:
    try:
        height, width = read_image(path).shape[:2]
    except BadFrameError as error:
        return str(error)
    return width, height
