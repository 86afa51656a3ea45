"""The contract of a training data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.data.bounding_box_utils import meets_image, outside_image
from ltr.data.image_loader import BadFrameError, StrPath


class BaseDataset:
    """Sequences of frames with one labelled target each.

    A sampler uses only what is declared here; a new data set implements `get_sequence_info`, `get_frames`,
    `get_num_sequences` and derives from `BaseVideoDataset` or `BaseImageDataset`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __len__(self) -> int:
        return self.get_num_sequences()

    def get_name(self) -> str:
        """Name of the set, for messages and statistics."""
        return self.name

    def get_num_sequences(self) -> int:
        """Number of sequences."""
        raise NotImplementedError

    def is_video_sequence(self) -> bool:
        """True where sequences are videos, False where they are single images."""
        raise NotImplementedError

    def get_sequence_info(self, seq_id: int) -> dict[str, Tensor]:
        """Labels of a sequence of n frames.

        Returns:
            'bbox': float32 (n, 4), `xywh`, image px, zeros where invalid; 'valid': bool (n,), the box is
            usable; 'visible': bool (n,), valid and the target can be seen.
        """
        raise NotImplementedError

    def get_frames(self, seq_id: int, frame_ids: Sequence[int], anno: Mapping[str, Tensor] | None = None,
                   ) -> tuple[list[np.ndarray], dict[str, list[Tensor]], dict[str, Any]]:
        """Read frames.

        Args:
            seq_id: sequence.
            frame_ids: frames, from 0; may repeat.
            anno: what `get_sequence_info` gave, if at hand.

        Returns:
            Images uint8 (H, W, C); the entries of `get_sequence_info` of these frames, one list each; and
            facts of the sequence: 'object_class_name' (None where unknown), and 'files', the images' paths, by which a
            batch is named that breaks a run (may be left out).

        Raises:
            BadFrameError: an image cannot be read, or a valid box lies outside it; samplers then draw again.
        """
        raise NotImplementedError


class BaseVideoDataset(BaseDataset):
    """Data set of videos."""

    def is_video_sequence(self) -> bool:
        """True."""
        return True


class BaseImageDataset(BaseDataset):
    """Data set of still images: every sequence has one frame, given for whatever frame ids are asked."""

    def is_video_sequence(self) -> bool:
        """False."""
        return False


def existing_folder(root: StrPath) -> Path:
    """The folder as an absolute path.

    Raises:
        UserError: it does not exist.
    """
    folder = Path(root).expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f'data folder {root} does not exist; check the path')
    return folder


def check_box(box: Tensor, image: np.ndarray, path: StrPath) -> None:
    """Make sure that a box `xywh` (4,) has a common part with the image it was drawn for, see `meets_image`.

    Raises:
        BadFrameError: it has none.
    """
    height, width = image.shape[:2]
    if not meets_image(box.tolist(), width, height):
        raise BadFrameError(f'{outside_image(box.tolist(), path, width, height)}; correct the annotation', path)
