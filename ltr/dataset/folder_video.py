"""Labelled videos in the layout of LSOTB-TIR and OTB: folders with `img/` and `groundtruth_rect.txt`."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.data.image_loader import IMAGE_SUFFIXES, StrPath, default_image_loader
from ltr.dataset.base import BaseVideoDataset, check_box, existing_folder

ANNOTATION = 'groundtruth_rect.txt'
FRAMES = 'img'

_log = logging.getLogger(__name__)


class VideoSequence(NamedTuple):
    """One labelled video: name, frame files in order, boxes `xywh` float32 (n, 4), zeros where invalid."""

    name: str
    frames: list[Path]
    boxes: Tensor


class FolderVideo(BaseVideoDataset):
    """All folders at or below a root that hold `img/` and `groundtruth_rect.txt`, at any depth.

    The text has one box `xywh` a frame, image px, separated by comma, semicolon, tab or blank; a row with
    NaN, with no numbers, or without width or height marks a frame without the target. Frames are taken in
    natural order (2.jpg before 10.jpg). Where rows and frames differ in number the surplus is left out. A
    sequence that lacks frames or boxes, or whose text cannot be read, is left out; one warning counts both.

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
        for folder in sequence_folders(self.root):
            try:
                frames, boxes = list_frames(folder / FRAMES), read_boxes(folder / ANNOTATION)
            except UserError as error:
                self.skipped[folder] = str(error)
                continue
            uneven += len(frames) != len(boxes)
            length = min(len(frames), len(boxes))
            name = folder.relative_to(self.root).as_posix()
            self.sequences.append(VideoSequence(name, frames[:length], boxes[:length]))
        self._report(uneven)

    def _report(self, uneven: int) -> None:
        example = next(iter(self.skipped.values()), '')
        if not self.sequences:
            skipped = f' ({len(self.skipped)} skipped, the first: {example})' if example else ''
            raise UserError(f'no labelled sequence in {self.root}: folders with {FRAMES}/ and {ANNOTATION} '
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
        return images, chosen, {'object_class_name': None, 'sequence_name': sequence.name}


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Sort key under which numbers in names count as numbers."""
    parts = re.split(r'(\d+)', path.as_posix())
    # An equal number under more zeros comes after, by the name at the end.
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part] + [(1, path.name)]


def list_frames(folder: Path) -> list[Path]:
    """Image files of a folder in natural order.

    Raises:
        UserError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise UserError(f'{folder} does not exist; frames are expected there')
    frames = [path for path in folder.iterdir()
              if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith('.')]
    if not frames:
        raise UserError(f'{folder} has no images')
    return sorted(frames, key=natural_key)


def read_boxes(path: Path) -> Tensor:
    """Boxes `xywh` of a text file, one row a frame.

    Returns:
        float32 (n, 4), zeros for a row that is empty, not finite, or without width or height.

    Raises:
        UserError: the file is missing or empty, or a row does not hold four numbers.
    """
    try:
        rows = path.read_text(encoding='utf-8-sig').rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'cannot read {path}: {getattr(error, "strerror", None) or error}') from error
    if not rows:
        raise UserError(f'{path} is empty; one box (x, y, w, h) a frame is expected')
    boxes = [_parse_row(row, path, number) for number, row in enumerate(rows, 1)]
    return torch.tensor(boxes, dtype=torch.float32)


def _parse_row(row: str, path: Path, number: int) -> list[float]:
    fields = [field for field in re.split(r'[,;\s]+', row.strip()) if field]
    try:
        box = [float(field) for field in fields]
    except ValueError:
        box = [0.0]
    if box and len(box) != 4:
        raise UserError(f'{path}, line {number}: {row.strip()!r} is not a box (x, y, w, h)')
    usable = bool(box) and all(map(math.isfinite, box)) and box[2] > 0 and box[3] > 0
    return box if usable else [0.0] * 4


def sequence_folders(root: Path) -> Iterator[Path]:
    """Folders at or below a root with frames or boxes or both, in natural order; links are followed."""
    seen = set()
    for name, folders, files in os.walk(root, followlinks=True):
        folder = Path(name)
        if folder.resolve() in seen:
            folders.clear()
            continue
        seen.add(folder.resolve())
        if ANNOTATION in files or FRAMES in folders:
            yield folder
        # The many files of img/ need not be looked at here.
        folders[:] = sorted(set(folders) - {FRAMES}, key=lambda below: natural_key(Path(below)))
