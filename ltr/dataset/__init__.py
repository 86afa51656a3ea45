"""Labelled training data: the contract of a data set, and readers of folders."""

from __future__ import annotations

from ltr.dataset.base import BaseDataset, BaseImageDataset, BaseVideoDataset
from ltr.dataset.coco_images import CocoImages
from ltr.dataset.folder_video import FolderVideo
from ltr.dataset.opening import open_dataset

__all__ = ['BaseDataset', 'BaseImageDataset', 'BaseVideoDataset', 'CocoImages', 'FolderVideo', 'open_dataset']
