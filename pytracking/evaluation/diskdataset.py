"""What data sets of folders share: the root, the walk over it, names of sequences, and what was left out."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.files import number_frames, walk_folders
from pytracking.evaluation.data import DEFAULT_PROTOCOL, BaseDataset, Sequence, SequenceList
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.names import safe_name


def dataset_root(name: str, root: str | Path | None = None) -> tuple[Path, frozenset[str] | None]:
    """Where the data set `name` lies: `root` where given, else the environment's `<name>_path`.

    Either is a folder, or a text file that lists some of the sequences beside it, one a line.

    Returns:
        The folder, and the listed names (None: all).

    Raises:
        UserError: nothing is set, it does not exist, or the list is empty.
    """
    given = root or getattr(local_env_settings(), f'{name}_path')
    if not given:
        raise UserError(f'no folder is set for the data set {name!r}: give --data DIR or set '
                        f'PYTRACKING_{name.upper()}_PATH')
    path = Path(given).expanduser()
    if path.is_file():
        lines = path.read_text(encoding='utf-8-sig', errors='replace').splitlines()
        names = frozenset(line.strip().replace('\\', '/') for line in lines if line.strip())
        if not names:
            raise UserError(f'{path} lists no sequence: give a folder, or a file with one name a line')
        return path.parent, names
    if not path.is_dir():
        raise UserError(f'the folder of the data set {name!r} does not exist: {path}')
    return path, None


@dataclass
class FoundSequence:
    """A sequence before its name is settled.

    Attributes:
        parts: names of the folders that lead to it from the root.
        suffix: what its name has beyond its folder's.
        frames, boxes, second_frames, second_boxes: as in `Sequence`.
        init_box: `xywh`, image px, where it is not the first row of `boxes`.
    """

    parts: tuple[str, ...]
    suffix: str
    frames: list[str]
    boxes: np.ndarray
    second_frames: list[str] | None = None
    second_boxes: np.ndarray | None = None
    init_box: np.ndarray | None = None

    def short_name(self) -> str:
        """The folder's name."""
        return self.parts[-1] + self.suffix

    def long_name(self) -> str:
        """The path from the root."""
        return '_'.join(self.parts) + self.suffix


@dataclass
class Skips:
    """What was left out: reason -> names; `harmless` are reasons that tell of no mistake."""

    reasons: dict[str, list[str]] = field(default_factory=dict)
    harmless: set[str] = field(default_factory=set)

    def add(self, reason: str, what: str, harmless: bool = False) -> None:
        """Count one."""
        self.reasons.setdefault(reason, []).append(what)
        if harmless:
            self.harmless.add(reason)

    def line(self) -> str:
        """All reasons with their numbers and first names."""
        return '; '.join(f'{len(names)} {reason} ({", ".join(names[:3])}{", ..." if len(names) > 3 else ""})'
                         for reason, names in self.reasons.items())


class DiskDataset(BaseDataset):
    """Sequences below a directory, at any depth.

    A name that occurs twice is replaced by the path relative to the root, joined by '_'. Hidden folders are left
    out; links to folders are followed, and what has been seen is not listed again.

    Args:
        root: the directory, or a list of sequence folders in it; by default the environment's `<name>_path`.
        name: name of the data set in messages and in `Sequence.dataset`.
        protocol: the evaluation protocol that belongs to it.
        expected: the layout in words, for messages.
        setting: the data set whose `<name>_path` is meant, where that is another one.

    Raises:
        UserError: `root` is not known or not there.
    """

    def __init__(self, root: str | Path | None, name: str, protocol: str = DEFAULT_PROTOCOL, expected: str = '',
                 setting: str | None = None) -> None:
        self.name, self.protocol, self.expected = name, protocol, expected
        self.root, self.listed = dataset_root(setting or name, root)

    @abstractmethod
    def holds(self, folder: Path) -> bool:
        """Whether sequences lie directly in `folder`."""

    @abstractmethod
    def read(self, folder: Path, parts: tuple[str, ...], skips: Skips) -> Iterator[FoundSequence]:
        """The sequences of a folder that `holds` some.

        Raises:
            UserError: something is wrong with it.
        """

    def attributes(self, name: str) -> frozenset[str]:
        """Attributes of the sequence whose folder is called `name`."""
        return frozenset()

    def folders(self) -> Iterator[tuple[Path, tuple[str, ...]]]:
        """Folders that hold sequences, and the names that lead to them from the root.

        Raises:
            UserError: a listed folder is not there.
        """
        missing = set(self.listed or ())
        for folder, parts in walk_folders(self.root):
            names = {parts[-1], '/'.join(parts)}
            if self.holds(folder) and (self.listed is None or self.listed & names):
                missing -= names
                yield folder, parts
        if missing:
            raise UserError(f'{self.name}: {len(missing)} of {len(self.listed or ())} listed sequences are not below '
                            f'{self.root}, such as {min(missing)!r}')

    def get_sequence_list(self) -> SequenceList:
        """All sequences by name; what was skipped is counted in one line on stderr.

        Raises:
            UserError: no sequence at all, or one that cannot be read or does not fit its frames.
        """
        skips = Skips()
        found = [item for folder, parts in self.folders() for item in self.read(folder, parts, skips)]
        if not found:
            detail = f': skipped {skips.line()}' if skips.reasons else ''
            raise UserError(f'no sequence with a ground truth below {self.root}{detail}; expected {self.expected}')
        if skips.reasons:
            print(f'{self.name}: {len(found)} sequences; skipped {skips.line()}', file=sys.stderr)
        sequences = [self.sequence(name, item) for name, item in zip(unique_names(found), found, strict=True)]
        return SequenceList(sorted(sequences, key=lambda sequence: sequence.name), self.protocol)

    def sequence(self, name: str, found: FoundSequence) -> Sequence:
        """The sequence under its final name."""
        init = None if found.init_box is None else {0: {'bbox': found.init_box.tolist()}}
        return Sequence(name, found.frames, self.name, found.boxes, init_data=init, second_frames=found.second_frames,
                        second_ground_truth_rect=found.second_boxes, attributes=self.attributes(found.parts[-1]))


def check_counts(path: Path, rows: int, folder: Path, frames: list[str], advice: str) -> None:
    """Hold the rows of a ground truth against its frames.

    Raises:
        UserError: the numbers differ; the first gap in the numbers of the images is named.
    """
    if rows == len(frames):
        return
    gap = number_gap(frames)
    hint = '' if gap is None else f' (number {gap} is missing)'
    raise UserError(f'{path} has {rows} rows, but {folder} has {len(frames)} images{hint}: {advice}')


def number_gap(frames: list[str]) -> int | None:
    """The first number that the names of the images leave out."""
    numbers = sorted(number_frames(frames))
    return next((one + 1 for one, other in pairwise(numbers) if other != one + 1), None)


def unique_names(found: list[FoundSequence]) -> list[str]:
    """File-safe names: the folder's where it is unique, else the relative path's."""
    short = [safe_name(item.short_name()) for item in found]
    count = Counter(short)
    names = [name if count[name] == 1 else safe_name(item.long_name())
             for name, item in zip(short, found, strict=True)]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise UserError(f'{" and ".join(_folders(found, names, twice[0]))} have the same name {twice[0]!r}: rename one')
    for name in sorted(set(names).intersection(f'{other}_time' for other in names)):
        [folder] = _folders(found, names, name)
        raise UserError(f'{folder}: the boxes of {name!r} would be written over the times of '
                        f'{name.removesuffix("_time")!r}: rename the folder')
    return names


def _folders(found: list[FoundSequence], names: list[str], wanted: str) -> list[str]:
    """Folders of the sequences that have the name `wanted`."""
    return [str(Path(item.frames[0]).parent.parent) for name, item in zip(names, found, strict=True) if name == wanted]
