"""GTOT, RGBT210, RGBT234 and LasHeR: the same scene in two videos, of which one is tracked.

    RGBT234   <seq>/visible/*   <seq>/infrared/*   visible.txt   infrared.txt   init.txt    x, y, w, h
    RGBT210   <seq>/visible/*   <seq>/infrared/*   init.txt                                 x, y, w, h
    LasHeR    <seq>/visible/*   <seq>/infrared/*   init.txt                                 x, y, w, h
    GTOT      <seq>/v/*         <seq>/i/*          groundTruth_v.txt   groundTruth_i.txt    x1 y1 x2 y2

Frames are sorted naturally and paired by order: their names do not agree. Trackers are handed one image, so a set of
both channels as one image does not exist; `Sequence.second_frames` and `second_ground_truth_rect` hold the other
modality for who wants it. The visible channel's sequences are called `<seq>_rgb`, so that results of the two channels
are never taken for one another. All rows count, also those that no tracker could start from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.box_text import read_table
from ltr.data.files import list_frames
from pytracking.evaluation.diskdataset import DiskDataset, FoundSequence, Skips, check_counts
from pytracking.evaluation.readers import read_corner_pairs

TIR, RGB = 'tir', 'rgb'
# Of LSOTB-TIR's training set; it was cut from an RGBT benchmark.
LEAKS = frozenset({'TIR_training_002'})


@dataclass(frozen=True)
class Layout:
    """Names in a sequence folder: the thermal one first, then the visible one.

    Attributes:
        frames: folders of images.
        truths: files of ground truth; equal where both share one.
        init: file whose first row is the box that trackers are given; else the first row of the truth.
        corners: rows are x1 y1 x2 y2.
    """

    frames: tuple[str, str]
    truths: tuple[str, str]
    init: str | None = None
    corners: bool = False

    def words(self) -> str:
        """The layout, for messages."""
        files = ' + '.join(f'<seq>/{name}' for name in dict.fromkeys(self.truths))
        return f'<seq>/{self.frames[0]}/ + <seq>/{self.frames[1]}/ + {files}'


ONE_TRUTH = Layout(('infrared', 'visible'), ('init.txt', 'init.txt'))
LAYOUTS = {
    'rgbt234': Layout(('infrared', 'visible'), ('infrared.txt', 'visible.txt'), 'init.txt'),
    'rgbt210': ONE_TRUTH,
    'lasher': ONE_TRUTH,
    'gtot': Layout(('i', 'v'), ('groundTruth_i.txt', 'groundTruth_v.txt'), corners=True),
}


class RGBTDataset(DiskDataset):
    """One channel of an RGB-thermal set; see the head of this file and `DiskDataset`.

    Args:
        root: folder of the sequences.
        name: a key of `LAYOUTS`, also the name of the protocol.
        modality: 'tir' or 'rgb', the channel that is tracked.
    """

    leaks = LEAKS

    def __init__(self, root: Path | None, name: str, modality: str = TIR) -> None:
        self.layout = LAYOUTS[name]
        self.order = (0, 1) if modality == TIR else (1, 0)
        self.suffix = '' if modality == TIR else f'_{modality}'
        super().__init__(root, name + self.suffix, name, self.layout.words(), setting=name)

    def holds(self, folder: Path) -> bool:
        """See `DiskDataset`."""
        return any((folder / name).is_dir() for name in self.layout.frames)

    def read(self, folder: Path, parts: tuple[str, ...], skips: Skips) -> Iterator[FoundSequence]:
        """See `DiskDataset`; a folder without a ground truth is skipped."""
        paths = [folder / self.layout.truths[i] for i in self.order]
        images = [folder / self.layout.frames[i] for i in self.order]
        if not paths[0].is_file():
            skips.add('without a ground truth', '/'.join(parts))
            return
        frames = list_frames(images[0])
        boxes = self._boxes(paths[0], images[0], frames)
        second = self._boxes(paths[1], images[0], frames) if paths[1] != paths[0] and paths[1].is_file() else None
        init = folder / self.layout.init if self.layout.init else paths[0]
        given = self._rows(init)[0] if init.is_file() else boxes[0]
        if not (np.isfinite(given).all() and (given[2:] > 0).all()):
            raise UserError(f'{init}: the first row must hold a box to start from, found {given.tolist()}')
        yield FoundSequence(parts, self.suffix, frames, boxes, list_frames(images[1]) or None, second, given)

    def _rows(self, path: Path) -> np.ndarray:
        boxes = read_corner_pairs(path) if self.layout.corners else read_table(path, 4)
        if not len(boxes):
            raise UserError(f'{path} has no rows')
        return boxes

    def _boxes(self, path: Path, images: Path, frames: list[str]) -> np.ndarray:
        boxes = self._rows(path)
        check_counts(path, len(boxes), images, frames, 'give one row per image')
        return boxes


def _makers(name: str) -> tuple[Callable[[Path | None], RGBTDataset], ...]:
    """The thermal and the visible channel of a set, as data sets are made."""
    def tir(root: Path | None = None) -> RGBTDataset:
        return RGBTDataset(root, name, TIR)

    def rgb(root: Path | None = None) -> RGBTDataset:
        return RGBTDataset(root, name, RGB)
    return tir, rgb


gtot, gtot_rgb = _makers('gtot')
rgbt210, rgbt210_rgb = _makers('rgbt210')
rgbt234, rgbt234_rgb = _makers('rgbt234')
lasher, lasher_rgb = _makers('lasher')
