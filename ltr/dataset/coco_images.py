"""Still images with boxes, in COCO's annotation format: every box is a sequence of one frame."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.data.bounding_box_utils import meets_image
from ltr.data.image_loader import StrPath, default_image_loader
from ltr.dataset.base import BaseImageDataset, check_box, existing_folder

_log = logging.getLogger(__name__)


class CocoImages(BaseImageDataset):
    """Images of a folder, one sequence a box.

    Two layouts: `annotations.json` with `img/` (or `images/`), and COCO's own,
    `annotations/instances_SPLIT.json` with `SPLIT/` or `images/SPLIT/`. Crowd regions, boxes without width or
    height and boxes outside their image are left out; one warning counts them.

    Args:
        root: folder.
        image_loader: path to uint8 (H, W, C).
        split: which of COCO's annotation files, if there are several.

    Attributes:
        skipped: number of boxes left out.

    Raises:
        UserError: no such folder, annotation file, image folder or usable box.
    """

    def __init__(self, root: StrPath, image_loader: Callable[[Path], np.ndarray] = default_image_loader,
                 split: str = 'train2017') -> None:
        self.root = existing_folder(root)
        super().__init__(self.root.name)
        self.image_loader = image_loader
        annotation, self.image_folder = _layout(self.root, split)
        content = _read_json(annotation)
        self.skipped = 0
        self._files: list[str] = []
        self._classes: list[str | None] = []
        boxes = self._collect(content, annotation)
        if not boxes:
            raise UserError(f'{annotation} has no usable box ({self.skipped} skipped)')
        if self.skipped:
            _log.warning('%s: %d of %d boxes skipped (crowds, empty, or outside the image)', annotation,
                         self.skipped, self.skipped + len(boxes))
        self._boxes = torch.tensor(boxes, dtype=torch.float32)

    def _collect(self, content: dict[str, Any], annotation: Path) -> list[list[float]]:
        boxes = []
        try:
            images = {image['id']: image for image in content['images']}
            classes = {category['id']: category['name'] for category in content.get('categories', ())}
            for item in content['annotations']:
                image, box = images.get(item['image_id']), [float(value) for value in item['bbox']]
                if image is None or item.get('iscrowd') or not _is_usable(box, image):
                    self.skipped += 1
                    continue
                boxes.append(box)
                self._files.append(image['file_name'])
                self._classes.append(classes.get(item.get('category_id')))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f'{annotation} is not in COCO format: {type(error).__name__} {error}') from error
        return boxes

    def get_num_sequences(self) -> int:
        """Number of boxes."""
        return len(self._files)

    def get_sequence_info(self, seq_id: int) -> dict[str, Tensor]:
        """See `BaseDataset`; one frame."""
        return {'bbox': self._boxes[seq_id].view(1, 4), 'valid': torch.ones(1, dtype=torch.bool),
                'visible': torch.ones(1, dtype=torch.bool)}

    def get_frames(self, seq_id: int, frame_ids: Sequence[int], anno: Mapping[str, Tensor] | None = None,
                   ) -> tuple[list[np.ndarray], dict[str, list[Tensor]], dict[str, Any]]:
        """See `BaseDataset`; the one image for every frame id, whatever its value (the arrays are shared)."""
        info = self.get_sequence_info(seq_id) if anno is None else anno
        path = self.image_folder / self._files[seq_id]
        image = self.image_loader(path)
        check_box(info['bbox'][0], image, path)
        chosen = {key: [values[0].clone() for _ in frame_ids] for key, values in info.items()}
        return [image] * len(frame_ids), chosen, {'object_class_name': self._classes[seq_id], 'files': [str(path)]}


def has_coco_annotations(root: Path) -> bool:
    """Whether a folder looks like something for `CocoImages`."""
    return (root / 'annotations.json').is_file() or any(root.glob('annotations/instances_*.json'))


def _layout(root: Path, split: str) -> tuple[Path, Path]:
    """Annotation file and image folder."""
    if (root / 'annotations.json').is_file():
        annotation, candidates = root / 'annotations.json', [root / 'img', root / 'images']
    else:
        found = sorted(root.glob('annotations/instances_*.json'))
        chosen = [path for path in found if path.stem == f'instances_{split}'] or found
        if len(chosen) != 1:
            names = ', '.join(path.name for path in found) or 'none'
            raise UserError(f'{root}: annotations.json or annotations/instances_{split}.json is expected '
                            f'(found: {names})')
        annotation, name = chosen[0], chosen[0].stem.removeprefix('instances_')
        candidates = [root / name, root / 'images' / name]
    for folder in candidates:
        if folder.is_dir():
            return annotation, folder
    raise UserError(f'{annotation} has no images: neither {candidates[0]} nor {candidates[1]} exists')


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise UserError(f'cannot read {path}: {error}') from error
    if not isinstance(content, dict):
        raise UserError(f'{path} is not in COCO format: an object with images and annotations is expected')
    return content


def _is_usable(box: list[float], image: Mapping[str, Any]) -> bool:
    return len(box) == 4 and meets_image(box, image.get('width', math.inf), image.get('height', math.inf))
