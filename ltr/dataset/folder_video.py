"""Labelled videos in the layout of LSOTB-TIR and OTB: folders with `img/` and `groundtruth_rect.txt`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.data.box_text import read_table
from ltr.data.files import FRAMES, GROUND_TRUTH, NumberedName, list_frames, natural_key, walk_folders
from ltr.data.image_loader import StrPath, default_image_loader
from ltr.dataset.base import BaseVideoDataset, check_box, existing_folder

_log = logging.getLogger(__name__)


class VideoSequence(NamedTuple):
    """One labelled video: name, frame files in order, boxes `xywh` float32 (n, 4), zeros where invalid."""

    name: str
    frames: list[Path]
    boxes: Tensor


class FolderVideo(BaseVideoDataset):
    """All folders at or below a root that hold `img/` and `groundtruth_rect.txt`, at any depth.

    The text has one box `xywh` a frame, image px, see `read_table`; a row with NaN, with no numbers, or
    without width or height marks a frame without the target. Frames are taken in natural order (2.jpg before
    10.jpg). Where rows and frames differ in number the surplus is left out. A sequence that lacks frames or
    boxes, has a frame twice, or whose text cannot be read, is left out; one warning counts both.

    Args:
        root: folder.
        image_loader: path to uint8 (H, W, C).

    Attributes:
        sequences: what was found, in natural order of the names.
        skipped: reason of each sequence that was left out, by its path.

    Raises:
        UserError: the folder does not exist, or has no usable sequence.
    """

    def __init__(self, root: StrPath,
                 image_loader: Callable[[Path], np.ndarray] = default_image_loader) -> None:
        self.root = existing_folder(root)
        super().__init__(self.root.name)
        self.image_loader = image_loader
        self.sequences: list[VideoSequence] = []
        self.skipped: dict[Path, str] = {}
        uneven = 0
        for folder in sorted(sequence_folders(self.root), key=self._order):
            try:
                frames, boxes = _frames_of(folder), read_boxes(folder / GROUND_TRUTH)
            except UserError as error:
                self.skipped[folder] = str(error)
                continue
            uneven += len(frames) != len(boxes)
            length = min(len(frames), len(boxes))
            name = folder.relative_to(self.root).as_posix()
            self.sequences.append(VideoSequence(name, frames[:length], boxes[:length]))
        self._report(uneven)

    def _order(self, folder: Path) -> list[NumberedName]:
        return [natural_key(part) for part in folder.relative_to(self.root).parts]

    def _report(self, uneven: int) -> None:
        example = next(iter(self.skipped.values()), '')
        if not self.sequences:
            skipped = f' ({len(self.skipped)} skipped, the first: {example})' if example else ''
            raise UserError(f'no labelled sequence in {self.root}: folders with {FRAMES}/ and {GROUND_TRUTH} '
                            f'are expected{skipped}')
        if self.skipped:
            _log.warning('%s: %d of %d sequences skipped, the first: %s', self.root, len(self.skipped),
                         len(self.skipped) + len(self.sequences), example)
        if uneven:
            _log.warning('%s: %d sequences have unequal numbers of frames and boxes; the surplus is left out',
                         self.root, uneven)

    def get_num_sequences(self) -> int:
        """Number of sequences."""
        return len(self.sequences)

    def get_sequence_info(self, seq_id: int) -> dict[str, Tensor]:
        """See `BaseDataset`; 'visible' equals 'valid'."""
        boxes = self.sequences[seq_id].boxes
        valid = (boxes[:, 2:] > 0).all(dim=1)
        return {'bbox': boxes, 'valid': valid, 'visible': valid.clone()}

    def get_frames(self, seq_id: int, frame_ids: Sequence[int], anno: Mapping[str, Tensor] | None = None,
                   ) -> tuple[list[np.ndarray], dict[str, list[Tensor]], dict[str, Any]]:
        """See `BaseDataset`."""
        sequence = self.sequences[seq_id]
        info = self.get_sequence_info(seq_id) if anno is None else anno
        images = []
        for i in frame_ids:
            images.append(self.image_loader(sequence.frames[i]))
            if info['valid'][i]:
                check_box(info['bbox'][i], images[-1], sequence.frames[i])
        chosen = {key: [values[i].clone() for i in frame_ids] for key, values in info.items()}
        return images, chosen, {'object_class_name': None, 'sequence_name': sequence.name,
                                'files': [str(sequence.frames[i]) for i in frame_ids]}


def read_boxes(path: Path) -> Tensor:
    """Boxes `xywh` of a text file, one row a frame.

    Returns:
        float32 (n, 4), zeros for a row that is empty, not finite, or without width or height.

    Raises:
        UserError: the file is missing or empty, or a row does not hold four numbers.
    """
    table = read_table(path, 4)
    if not len(table):
        raise UserError(f'{path} is empty; one box (x, y, w, h) a frame is expected')
    return usable_boxes(table)


def usable_boxes(table: np.ndarray) -> Tensor:
    """Boxes `xywh` (n, 4) as float32, zeros for a row that is not finite, or without width or height."""
    usable = np.isfinite(table).all(axis=1) & (table[:, 2:] > 0).all(axis=1)
    return torch.tensor(np.where(usable[:, None], table, 0), dtype=torch.float32)


def sequence_folders(root: Path) -> Iterator[Path]:
    """Folders at or below a root with frames or boxes or both; see `walk_folders`."""
    for folder, _ in walk_folders(root):
        if (folder / GROUND_TRUTH).is_file() or (folder / FRAMES).is_dir():
            yield folder


def _frames_of(folder: Path) -> list[Path]:
    """Frames of a sequence folder.

    Raises:
        UserError: there is no `img/`, no image in it, or a frame twice.
    """
    images = folder / FRAMES
    if not images.is_dir():
        raise UserError(f'{images} does not exist; frames are expected there')
    frames = [Path(path) for path in list_frames(images)]
    if not frames:
        raise UserError(f'{images} has no images')
    return frames
