"""The data set `folder`: every sequence below a directory, in LSOTB-TIR's layout or as MOT text.

    <any>/<seq>/img/0001.jpg ...   with  <any>/<seq>/groundtruth_rect.txt   one sequence
    <any>/<video>/img/000001.jpg   with  <any>/<video>/gt/gt.txt            one sequence per gap-free run of
    an id
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.box_text import read_table
from ltr.data.files import FRAMES, GROUND_TRUTH, list_frames, number_frames, walk_folders
from pytracking.evaluation.data import DEFAULT_PROTOCOL, BaseDataset, Sequence, SequenceList
from pytracking.evaluation.local import local_env_settings
from pytracking.evaluation.readers import first_valid_row, mot_runs

MIN_RUN = 60
NO_START = 'without a row whose x, y, w, h are all > 0'
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def dataset_root(name: str, root: str | Path | None = None) -> Path:
    """The folder of data set `name`: `root` where given, else the environment's `<name>_path`.

    Raises:
        UserError: no folder is set, or it does not exist.
    """
    folder = root or getattr(local_env_settings(), f'{name}_path')
    if not folder:
        raise UserError(f'no folder is set for the data set {name!r}: give --data DIR or set '
                        f'PYTRACKING_{name.upper()}_PATH')
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise UserError(f'the folder of the data set {name!r} does not exist: {path}')
    return path


@dataclass
class _Found:
    """A sequence before its name is settled: `parts` is its folder relative to the root."""

    parts: tuple[str, ...]
    suffix: str
    frames: list[str]
    boxes: np.ndarray

    def short_name(self) -> str:
        return self.parts[-1] + self.suffix

    def long_name(self) -> str:
        return '_'.join(self.parts) + self.suffix


@dataclass
class _Skips:
    """What was left out, by reason."""

    reasons: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, what: str) -> None:
        self.reasons.setdefault(reason, []).append(what)

    def line(self) -> str:
        return '; '.join(f'{len(names)} {reason} ({", ".join(names[:3])}{", ..." if len(names) > 3 else ""})'
                         for reason, names in self.reasons.items())


class FolderDataset(BaseDataset):
    """Sequences below a directory, at any depth, in both layouts mixed.

    A sequence starts at the first frame whose four box values are all > 0 (the rule of LSOTB-TIR). MOT runs
    are named `<video>_<id>_<first frame of the run>`. A name that occurs twice is replaced by the path
    relative to the root, joined by '_'. Hidden folders are left out; links to folders are followed, and
    what has been seen is not listed again.

    Args:
        root: the directory; by default the environment's `<name>_path`.
        name: name of the data set in messages and in `Sequence.dataset`.
        protocol: the evaluation protocol that belongs to it.
        min_run: least number of frames of a MOT run.

    Raises:
        UserError: `root` is not known or not there.
    """

    def __init__(self, root: str | Path | None = None, name: str = 'folder', protocol: str = DEFAULT_PROTOCOL,
                 min_run: int = MIN_RUN) -> None:
        self.name = name
        self.protocol = protocol
        self.min_run = min_run
        self.root = dataset_root(name, root)

    def get_sequence_list(self) -> SequenceList:
        """All sequences by name; what was skipped is counted in one line on stderr.

        Skipped are sequence folders without a ground truth, and sequences in which no frame can be the first.

        Raises:
            UserError: no sequence at all, an unreadable ground truth, or one that does not fit its frames.
        """
        skips = _Skips()
        found = [item for folder, parts in walk_folders(self.root) for item in self._read(folder, parts, skips)]
        if not found:
            detail = f': skipped {skips.line()}' if skips.reasons else ''
            raise UserError(f'no sequence with a ground truth below {self.root}{detail}; expected '
                            f'<seq>/{FRAMES} + <seq>/{GROUND_TRUTH}, or <video>/{FRAMES} + <video>/gt/gt.txt')
        if skips.reasons:
            print(f'{self.name}: {len(found)} sequences; skipped {skips.line()}', file=sys.stderr)
        sequences = [Sequence(name, item.frames, self.name, item.boxes)
                     for name, item in zip(_unique_names(found), found, strict=True)]
        return SequenceList(sorted(sequences, key=lambda sequence: sequence.name), self.protocol)

    def _read(self, folder: Path, parts: tuple[str, ...], skips: _Skips) -> Iterator[_Found]:
        """The sequences that lie directly in `folder`."""
        if (folder / GROUND_TRUTH).is_file():
            yield from _read_rects(folder, parts, skips)
        elif (folder / 'gt' / 'gt.txt').is_file():
            yield from self._read_mot(folder, parts, skips)
        elif (folder / FRAMES).is_dir():
            skips.add('without a ground truth', '/'.join(parts))

    def _read_mot(self, folder: Path, parts: tuple[str, ...], skips: _Skips) -> Iterator[_Found]:
        path = folder / 'gt' / 'gt.txt'
        frames = list_frames(folder / FRAMES)
        position = number_frames(frames)
        runs = mot_runs(path, self.min_run)
        if not runs:
            skips.add(f'without a run of {self.min_run} frames', '/'.join(parts))
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
            yield _Found(parts, suffix, files, boxes[start:])


def _read_rects(folder: Path, parts: tuple[str, ...], skips: _Skips) -> Iterator[_Found]:
    path = folder / GROUND_TRUTH
    boxes = read_table(path, 4)
    frames = list_frames(folder / FRAMES)
    init_only = len(boxes) == 1 and frames
    if len(boxes) == 0:
        raise UserError(f'{path} has no rows')
    if len(boxes) != len(frames) and not init_only:
        raise UserError(f'{path} has {len(boxes)} rows, but {folder / FRAMES} has {len(frames)} images: '
                        f'give one row per image, or a single row (run only, not evaluated)')
    start = first_valid_row(boxes)
    if start is None:
        skips.add(NO_START, '/'.join(parts))
    else:
        yield _Found(parts, '', frames[start:], boxes[start:])


def _unique_names(found: list[_Found]) -> list[str]:
    """File-safe names: the folder's where it is unique, else the relative path's."""
    short = [_UNSAFE.sub('_', item.short_name()) for item in found]
    count = Counter(short)
    names = [name if count[name] == 1 else _UNSAFE.sub('_', item.long_name())
             for name, item in zip(short, found, strict=True)]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise UserError(f'{" and ".join(_folders(found, names, twice[0]))} have the same name {twice[0]!r}: rename one')
    for name in sorted(set(names).intersection(f'{other}_time' for other in names)):
        [folder] = _folders(found, names, name)
        raise UserError(f'{folder}: the boxes of {name!r} would be written over the times of '
                        f'{name.removesuffix("_time")!r}: rename the folder')
    return names


def _folders(found: list[_Found], names: list[str], wanted: str) -> list[str]:
    """Folders of the sequences that have the name `wanted`."""
    return [str(Path(item.frames[0]).parent.parent) for name, item in zip(names, found, strict=True) if name == wanted]
