"""What the RGB parent learns from: labelled video, stills, and visible halves of the pairs with boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cmd_plugin.data.box_coco import read_coco
from cmd_plugin.data.box_records import Found, Record
from cmd_plugin.data.sampler import PairSource
from cmd_plugin.detect.detecting import detect_pairs, pair_name
from cmd_plugin.detect.yolo import YoloDetector
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce.chains import Box, xywh
from cmd_plugin.reproduce.kept_out import divide
from cmd_plugin.reproduce.pairs import SomePairs, divide_pairs
from cmd_plugin.reproduce.places import Data, Work
from ltr.data.image_loader import BadFrameError
from ltr.dataset import BaseDataset, BaseImageDataset, CocoImages, FolderVideo

SCORE = 0.3
LEAST_SIDE = 10.0
"""px; smaller detections teach the parent little but noise."""
RANDOM_SIDES = (0.1, 0.35)
"""Of a random box, over the shorter side of the image."""
RANDOM_BOXES = 2
"""A pair."""
WEIGHTS = (5.0, 3.0, 1.5, 0.5)
"""How often video, stills, detected and random boxes are drawn."""


class VisibleHalves(BaseImageDataset):
    """Visible halves of pairs with one box each.

    Args:
        name: of the set.
        pairs: where the images come from.
        boxes: `(pair, xywh in image px)`, at least one.
    """

    def __init__(self, name: str, pairs: PairSource, boxes: Sequence[tuple[int, Sequence[float]]]) -> None:
        super().__init__(name)
        self.pairs = pairs
        self.places = [place for place, _ in boxes]
        self.boxes = torch.tensor([list(box) for _, box in boxes], dtype=torch.float32)

    def get_num_sequences(self) -> int:
        """Number of boxes."""
        return len(self.places)

    def get_sequence_info(self, seq_id: int) -> dict[str, Tensor]:
        """See `BaseDataset`; one frame."""
        sure = torch.ones(1, dtype=torch.bool)
        return {'bbox': self.boxes[seq_id].view(1, 4), 'valid': sure, 'visible': sure.clone()}

    def get_frames(self, seq_id: int, frame_ids: Sequence[int], anno: Mapping[str, Tensor] | None = None,
                   ) -> tuple[list[np.ndarray], dict[str, list[Tensor]], dict[str, Any]]:
        """See `BaseDataset`; the one image for every frame id (the arrays are shared)."""
        place = self.places[seq_id]
        try:
            image = np.ascontiguousarray(self.pairs.read(place)[..., :3])
        except UserError as error:
            raise BadFrameError(str(error), self.pairs.describe(place)) from error
        info = self.get_sequence_info(seq_id)
        return ([image] * len(frame_ids), {key: [values[0].clone() for _ in frame_ids] for key, values in info.items()},
                {'object_class_name': None})


def detect(data: Data, work: Work) -> None:
    """Detect on the visible half of every pair, once; a run that was stopped goes on."""
    from cmd_plugin.data.paired import PairedDataset
    root = data.root / 'pairs'
    detector = YoloDetector(data.detector, ())
    print(detect_pairs(PairedDataset(root), root, detector, work.boxes, frozenset(detector.names), SCORE))


def records(data: Data, work: Work) -> dict[str, Record]:
    """What was detected, by the name of the visible file relative to the folder of the pairs."""
    return {record.name: record for record in read_coco(work.boxes).records}


def large_enough(record: Record | None) -> list[Found]:
    """Detections that are no mere specks, the most confident first."""
    found = [] if record is None else sorted(record.boxes, key=lambda box: -box.score)
    return [box for box in found if min(box.x2 - box.x1, box.y2 - box.y1) >= LEAST_SIDE]


def boxes_of(record: Record | None) -> list[Box]:
    """The same as boxes `xywh`, image px."""
    return [xywh(box) for box in large_enough(record)]


def random_boxes(size: tuple[int, int], rng: np.random.Generator) -> list[Box]:
    """Squares anywhere within an image `(height, width)`, `xywh`, image px."""
    boxes = []
    for _ in range(RANDOM_BOXES):
        side = min(size) * float(rng.uniform(*RANDOM_SIDES))
        boxes.append((float(rng.uniform(0, size[1] - side)), float(rng.uniform(0, size[0] - side)), side, side))
    return boxes


def labelled_video(root: Path) -> FolderVideo:
    """The labelled sequences without the kept-out videos."""
    video = FolderVideo(root)
    learned, _ = divide(sequence.name for sequence in video.sequences)
    video.sequences = [sequence for sequence in video.sequences if sequence.name in set(learned)]
    return video


def parent_data(data: Data, work: Work, seed: int = 0) -> tuple[list[BaseDataset], list[float]]:
    """Data sets of the parent and how often each is drawn; empty ones are left out.

    Raises:
        UserError: a part is missing or unreadable.
    """
    pairs, _ = divide_pairs(data.root / 'pairs')
    detected, drawn = visible_halves(pairs, data.root / 'pairs', records(data, work), seed)
    sets: list[BaseDataset] = [labelled_video(data.root / 'rgb'), CocoImages(data.root / 'rgb_stills')]
    weights = list(WEIGHTS[:2])
    for name, boxes, weight in zip(('detected', 'random'), (detected, drawn), WEIGHTS[2:], strict=True):
        if boxes:
            sets.append(VisibleHalves(name, pairs, boxes))
            weights.append(weight)
    return sets, weights


def visible_halves(pairs: SomePairs, root: Path, found: Mapping[str, Record], seed: int) -> tuple[list[Any], list[Any]]:
    """Detected and random boxes of the training pairs, as `(pair, xywh)`."""
    rng = np.random.default_rng(seed)
    detected, drawn = [], []
    for place in range(len(pairs)):
        record = found.get(pair_name(pairs.paths(place)[0], root))
        detected += [(place, box) for box in boxes_of(record)]
        if record is not None and record.size is not None:
            drawn += [(place, box) for box in random_boxes(record.size, rng)]
    return detected, drawn
