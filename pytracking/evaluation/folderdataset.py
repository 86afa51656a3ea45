"""The data set `folder`: every sequence below a directory, in LSOTB-TIR's layout or as MOT text.

    <any>/<seq>/img/0001.jpg ...   with  <any>/<seq>/groundtruth_rect.txt   one sequence
    <any>/<video>/img/000001.jpg   with  <any>/<video>/gt/gt.txt            one sequence per gap-free run of
    an id
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import pytracking.evaluation.data as data
from ltr.admin.errors import UserError
from ltr.data.box_text import read_table
from ltr.data.files import FRAMES, GROUND_TRUTH, list_frames, number_frames
from pytracking.evaluation.data import DEFAULT_PROTOCOL, SequenceList
from pytracking.evaluation.diskdataset import DiskDataset, FoundSequence, Skips, check_counts
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.readers import first_valid_row, mot_runs, read_attributes

MIN_RUN = 60
NO_START = 'without a row whose x, y, w, h are all > 0'
NO_TRUTH = 'without a ground truth'


class FolderDataset(DiskDataset):
    """Sequences below a directory, at any depth, in both layouts mixed; see `DiskDataset`.

    A sequence starts at the first frame whose four box values are all > 0 (the rule of LSOTB-TIR). MOT runs
    are named `<video>_<id>_<first frame of the run>`. Skipped are sequence folders without a ground truth, and
    sequences in which no frame can be the first.

    Args:
        root, name, protocol: see `DiskDataset`.
        min_run: least number of frames of a MOT run.
        attribute_names: what the columns of the data set's attribute files mean; they are looked for as
            `<seq>.txt` in the environment's `<name>_attributes_path`, or in `anno/att` in or beside `root`.

    Raises:
        UserError: `root` is not known or not there.
    """

    def __init__(self, root: str | Path | None = None, name: str = 'folder', protocol: str = DEFAULT_PROTOCOL,
                 min_run: int = MIN_RUN, attribute_names: Sequence[str] = ()) -> None:
        super().__init__(root, name, protocol, f'<seq>/{FRAMES} + <seq>/{GROUND_TRUTH}, or <video>/{FRAMES} + '
                                               f'<video>/gt/gt.txt')
        self.min_run = min_run
        self.attribute_names = tuple(attribute_names)
        self._bare: list[str] = []

    def get_sequence_list(self) -> SequenceList:
        """See `DiskDataset`; sequences without an attribute file are counted, too, where others have one."""
        self._bare.clear()
        sequences = super().get_sequence_list()
        if self._attribute_folder and self._bare:
            print(f'{self.name}: {len(self._bare)} of {len(sequences)} sequences without an attribute file in '
                  f'{self._attribute_folder}, such as {self._bare[0]}', file=sys.stderr)
        return sequences

    def sequence(self, name: str, found: FoundSequence) -> data.Sequence:
        """See `DiskDataset`."""
        if not self._attribute_file(found.parts[-1]):
            self._bare.append(name)
        return super().sequence(name, found)

    def holds(self, folder: Path) -> bool:
        """See `DiskDataset`."""
        return any((folder / part).exists() for part in (GROUND_TRUTH, FRAMES, Path('gt', 'gt.txt')))

    def read(self, folder: Path, parts: tuple[str, ...], skips: Skips) -> Iterator[FoundSequence]:
        """See `DiskDataset`."""
        if (folder / GROUND_TRUTH).is_file():
            yield from _read_rects(folder, parts, skips)
        elif (folder / 'gt' / 'gt.txt').is_file():
            yield from self._read_mot(folder, parts, skips)
        elif (folder / FRAMES).is_dir():
            skips.add(NO_TRUTH, '/'.join(parts))

    def attributes(self, name: str) -> frozenset[str]:
        """See `DiskDataset`. Raises UserError for a file that does not fit `attribute_names`."""
        path = self._attribute_file(name)
        return read_attributes(path, self.attribute_names) if path else frozenset()

    @cached_property
    def _attribute_folder(self) -> Path | None:
        if not self.attribute_names:
            return None
        given = getattr(local_env_settings(), f'{self.name}_attributes_path')
        if given and not Path(given).is_dir():
            raise UserError(f'PYTRACKING_{self.name.upper()}_ATTRIBUTES_PATH: no folder {given}')
        places = [Path(given)] if given else [base / 'anno' / 'att' for base in (self.root, self.root.resolve().parent)]
        return next((place for place in places if place.is_dir()), None)

    def _attribute_file(self, name: str) -> Path | None:
        path = self._attribute_folder / f'{name}.txt' if self._attribute_folder else None
        return path if path and path.is_file() else None

    def _read_mot(self, folder: Path, parts: tuple[str, ...], skips: Skips) -> Iterator[FoundSequence]:
        path = folder / 'gt' / 'gt.txt'
        frames = list_frames(folder / FRAMES)
        position = number_frames(frames)
        runs = mot_runs(path, self.min_run)
        if not runs:
            skips.add(f'without a run of {self.min_run} frames', '/'.join(parts), harmless=True)
        for identity, numbers, boxes in runs:
            missing = [int(number) for number in numbers if int(number) not in position]
            if missing:
                raise UserError(f'{path}: id {identity} is in frame {missing[0]}, but {folder / FRAMES} '
                                f'has no such image ({len(frames)} images, boxes to frame {numbers[-1]})')
            suffix = f'_{identity}_{numbers[0]}'
            start = first_valid_row(boxes)
            if start is None:
                skips.add(NO_START, '/'.join(parts) + suffix)
                continue
            files = [frames[position[int(number)]] for number in numbers[start:]]
            yield FoundSequence(parts, suffix, files, boxes[start:])


def _read_rects(folder: Path, parts: tuple[str, ...], skips: Skips) -> Iterator[FoundSequence]:
    path = folder / GROUND_TRUTH
    boxes = read_table(path, 4)
    frames = list_frames(folder / FRAMES)
    if len(boxes) == 0:
        raise UserError(f'{path} has no rows')
    if not (len(boxes) == 1 and frames):
        check_counts(path, len(boxes), folder / FRAMES, frames,
                     'give one row per image, or a single row (run only, not evaluated)')
    start = first_valid_row(boxes)
    if start is None:
        skips.add(NO_START, '/'.join(parts))
    else:
        yield FoundSequence(parts, '', frames[start:], boxes[start:])
