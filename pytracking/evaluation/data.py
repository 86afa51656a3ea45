"""Sequences and data sets of the evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from copy import copy
from typing import Any, SupportsIndex, overload

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.plugins import unknown
from pytracking.evaluation.names import check_name

DEFAULT_PROTOCOL = 'lsotb'


class Sequence:
    """One object in one video.

    Args:
        name: unique in its data set; also the name of the result file.
        frames: image files in the order of time.
        dataset: name of the data set.
        ground_truth_rect: (n, 4), `xywh`, image px; one row per frame, or a single row when only the first
            frame's box is known (the sequence can be run, but not evaluated). Rows may hold NaN or zeros.
        ground_truth_seg: mask files, for segmentation sets.
        init_data: frame number -> {'bbox': 4 floats, ...}; by default the first row.
        object_class: free text.
        target_visible: (n,) bool.
        object_ids, multiobj_mode: for multi-object sets.
        second_frames: image files of the other modality, frame by frame; for trackers and viewers that want both.
        second_ground_truth_rect: (n, 4), as `ground_truth_rect`, drawn in the other modality.
        attributes: what makes the sequence hard, in the data set's own words ('Occlusion').

    Raises:
        UserError: a name that can be no file's, see `check_name`.

    Attributes:
        full_length: number of frames before `first` shortened the sequence.
    """

    def __init__(self, name: str, frames: list[str], dataset: str, ground_truth_rect: np.ndarray,
                 ground_truth_seg: list[str] | None = None,
                 init_data: dict[int, dict[str, Any]] | None = None, object_class: str | None = None,
                 target_visible: np.ndarray | None = None, object_ids: list[str] | None = None,
                 multiobj_mode: str | None = None, second_frames: list[str] | None = None,
                 second_ground_truth_rect: np.ndarray | None = None,
                 attributes: Iterable[str] = ()) -> None:
        check_name(name)
        self.name = name
        self.frames = frames
        self.dataset = dataset
        self.ground_truth_rect = np.asarray(ground_truth_rect, dtype=float).reshape(-1, 4)
        self.ground_truth_seg = ground_truth_seg
        self.init_data = init_data or {0: {'bbox': self.ground_truth_rect[0].tolist()}}
        self.object_class = object_class
        self.target_visible = target_visible
        self.object_ids = object_ids
        self.multiobj_mode = multiobj_mode
        self.second_frames = second_frames
        self.second_ground_truth_rect = None if second_ground_truth_rect is None else np.asarray(
            second_ground_truth_rect, dtype=float).reshape(-1, 4)
        self.attributes = frozenset(attributes)
        self.full_length = len(frames)

    @property
    def init_only(self) -> bool:
        """Whether nothing but the first frame's box is known."""
        return len(self.ground_truth_rect) == 1 and len(self.frames) > 1

    def init_info(self) -> dict[str, Any]:
        """What a tracker is told with the first frame; `init_bbox` is `xywh`, image px."""
        info = {f'init_{key}': value for key, value in self.init_data[0].items()}
        if self.object_ids is not None:
            info.update(object_ids=self.object_ids, sequence_object_ids=self.object_ids)
        return info

    def first(self, count: int) -> Sequence:
        """The sequence cut to its first `count` frames; it keeps its name and `full_length`."""
        cut = copy(self)
        cut.frames = self.frames[:count]
        if not self.init_only:
            cut.ground_truth_rect = self.ground_truth_rect[:count]
        for name in ('ground_truth_seg', 'target_visible', 'second_frames', 'second_ground_truth_rect'):
            if getattr(self, name) is not None:
                setattr(cut, name, getattr(self, name)[:count])
        return cut

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return f'Sequence({self.name!r}, {len(self.frames)} frames)'


class SequenceList(list[Sequence]):
    """Sequences, found by position or by name.

    Args:
        sequences: the sequences.
        protocol: name of the evaluation protocol that belongs to them.
    """

    def __init__(self, sequences: Iterable[Sequence] = (), protocol: str = DEFAULT_PROTOCOL) -> None:
        super().__init__(sequences)
        self.protocol = protocol

    @overload
    def __getitem__(self, item: SupportsIndex | str) -> Sequence: ...
    @overload
    def __getitem__(self, item: slice | list[int]) -> SequenceList: ...

    def __getitem__(self, item: SupportsIndex | str | slice | list[int]) -> Sequence | SequenceList:
        """A sequence by position or name, or a shorter list by slice or list of positions.

        Raises:
            UserError: no sequence has that name.
            IndexError: as a list's.
        """
        if isinstance(item, str):
            for sequence in self:
                if sequence.name == item:
                    return sequence
            raise UserError(unknown('sequence', item, [sequence.name for sequence in self]))
        if isinstance(item, slice):
            return SequenceList(super().__getitem__(item), self.protocol)
        if isinstance(item, list):
            return SequenceList((self[i] for i in item), self.protocol)
        return super().__getitem__(item)

    def __add__(self, other: Iterable[Sequence]) -> SequenceList:  # type: ignore[override]
        """Both lists together; the protocol is this list's."""
        return SequenceList([*self, *other], self.protocol)

    def copy(self) -> SequenceList:
        """A shallow copy."""
        return SequenceList(self, self.protocol)


class BaseDataset(ABC):
    """An evaluation set: something that lists sequences.

    Attributes:
        protocol: name of the evaluation protocol that belongs to it.
        leaks: names of training sequences, of any training set, that show what is tested here.
        has_images: whether the frames of its sequences are files.
    """

    protocol: str = DEFAULT_PROTOCOL
    leaks: frozenset[str] = frozenset()
    has_images: bool = True

    @abstractmethod
    def get_sequence_list(self) -> SequenceList:
        """All sequences, in a stable order."""

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.get_sequence_list())
