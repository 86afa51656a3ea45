"""Recognise what kind of labelled data a folder holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from ltr.data.files import FRAMES, GROUND_TRUTH
from ltr.data.image_loader import StrPath, default_image_loader
from ltr.dataset.base import BaseDataset, existing_folder
from ltr.dataset.coco_images import CocoImages, has_coco_annotations
from ltr.dataset.folder_video import FolderVideo, sequence_folders


def open_dataset(path: StrPath,
                 image_loader: Callable[[Path], np.ndarray] = default_image_loader) -> BaseDataset:
    """Open a folder as `CocoImages` (annotations in COCO format) or `FolderVideo` (labelled videos below it).

    Raises:
        UserError: the folder does not exist or holds neither.
    """
    folder = existing_folder(path)
    if has_coco_annotations(folder):
        return CocoImages(folder, image_loader)
    if any((sequence / GROUND_TRUTH).is_file() for sequence in sequence_folders(folder)):
        return FolderVideo(folder, image_loader)
    raise UserError(f'{folder} holds no labelled data: neither sequences ({FRAMES}/ with {GROUND_TRUTH}) nor '
                    f'images with annotations.json or annotations/instances_*.json were found')
