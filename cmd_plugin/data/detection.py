"""`detection`: pseudo boxes that a detector has found, read from box files."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from cmd_plugin.data.box_choice import Floats, choose_boxes, clip_boxes
from cmd_plugin.data.box_files import read_boxes
from cmd_plugin.data.box_names import match_records
from cmd_plugin.data.box_records import Record
from cmd_plugin.data.coco_names import PERSONS
from cmd_plugin.data.pseudo_boxes import Box, RandomSampling
from cmd_plugin.errors import UserError

LOOKED_AT = 16


class ReadablePairs(Protocol):
    """What the boxes need of a data set; `PairedDataset` is one."""

    def __len__(self) -> int:
        """Number of pairs."""

    def paths(self, index: int) -> tuple[Path, Path]:
        """RGB and TIR file of a pair."""

    def read(self, index: int) -> NDArray[np.uint8]:
        """Pair as uint8 `(H, W, 6)`; raises `UserError`."""

    def describe(self, index: int) -> str:
        """Name of the pair for messages."""


class Detection:
    """`detection`: one of the boxes found on a pair, each as likely as the other, drawn anew for every sample.

    Boxes of both halves stand side by side where both are given; which of them are kept is told in
    `cmd_plugin.data.box_choice`. They are clipped to the image. A pair without a box gets one of `random_sampling`.

    Boxes of all pairs lie in a few arrays, which worker processes share.

    Args:
        path: box file or folder (`read_boxes`).
        fraction: side of the square of `random_sampling` over the shorter image side.

    Raises:
        UserError: as `read_boxes`.
    """

    def __init__(self, path: Path, fraction: float = RandomSampling.fraction) -> None:
        self.path = path
        self.fallback = RandomSampling(fraction)
        self._sets = read_boxes(path)
        self._flat = sum(found.flat for found in self._sets)
        # Shared memory, as in the sampler: draws, draws without a box.
        self._draws = torch.zeros(2, dtype=torch.int64).share_memory_()
        self._bound = False

    def bind(self, pairs: ReadablePairs) -> None:
        """Find the boxes of every pair of a data set; comes before the first call.

        Raises:
            UserError: the boxes name no pair, fit several, or lie outside their images.
        """
        by_pair, self._strangers = match_records(self._sets, pairs)
        self._sets = []
        self._pack(by_pair, len(pairs))
        self._bare = torch.from_numpy(np.diff(self._starts) == 0).share_memory_()
        self._bound = True
        self._look(pairs, [index for index in range(len(pairs)) if not self._bare[index]])

    def __call__(self, index: int, size: tuple[int, int], rng: np.random.Generator) -> Box:
        """Box of one draw, `xywh` in image px."""
        boxes = self.boxes(index, size)
        self._draws[0] += 1
        if not len(boxes):
            self._draws[1] += 1
            self._bare[index] = True
            return self.fallback(index, size, rng)
        x1, y1, x2, y2 = (float(value) for value in boxes[int(rng.integers(len(boxes)))])
        return x1, y1, x2 - x1, y2 - y1

    def boxes(self, index: int, size: tuple[int, int]) -> Floats:
        """The boxes that may be drawn for a pair.

        Args:
            index: place of the pair in the data set.
            size: `(height, width)` of a half.

        Returns:
            `(k, 4)`, k at most 5, `xyxy` in image px, within the image.

        Raises:
            UserError: the boxes were made on an image of another size.
        """
        if not self._bound:
            raise ValueError('detection: call bind() with the pairs first')
        made_on = (int(self._sizes[index, 0]), int(self._sizes[index, 1]))
        if made_on not in ((0, 0), size):
            raise UserError(f'boxes of pair {self._pairs.paths(index)[0]} in {self.path} were made on an image of '
                            f'{made_on[1]} x {made_on[0]} px, the pair has {size[1]} x {size[0]}: make them again with '
                            '`python -m cmd_plugin detect`')
        own = slice(int(self._starts[index]), int(self._starts[index + 1]))
        boxes, kept = clip_boxes(unjoined(self._boxes[own], self._joined[own], size[1]), size)
        return boxes[choose_boxes(boxes, self._scores[own][kept], self._persons[own][kept])]

    def summary(self) -> str:
        """One line on what was left out or replaced; empty where nothing was."""
        draws, without = (int(value) for value in self._draws)
        parts = []
        if without:
            parts.append(f'{without} of {draws} draws had no detected box ({int(self._bare.sum())} of '
                         f'{len(self._bare)} pairs): random_sampling in its place')
        if self._flat:
            parts.append(f'{self._flat} boxes without an area dropped')
        if self._bound and self._strangers:
            parts.append(f'boxes of {self._strangers} images name no pair in use')
        return f'detection: {"; ".join(parts)}' if parts else ''

    def _pack(self, by_pair: dict[int, list[Record]], count: int) -> None:
        """Lay the boxes of all pairs into arrays, those of one pair side by side, RGB first."""
        ordered = [sorted(by_pair.get(index, ()), key=lambda record: record.modality) for index in range(count)]
        rows = [(box, record.joined) for records in ordered for record in records for box in record.boxes]
        counts = [sum(len(record.boxes) for record in records) for records in ordered]
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self._boxes = np.array([box[:4] for box, _ in rows], np.float32).reshape(-1, 4)
        self._scores = np.array([box.score for box, _ in rows], np.float32)
        self._persons = np.array([box.label.casefold() in PERSONS for box, _ in rows], bool)
        self._joined = np.array([joined for _, joined in rows], bool)
        self._sizes = np.array([next((record.size for record in records if record.size), (0, 0))
                                for records in ordered], np.int32)

    def _look(self, pairs: ReadablePairs, indices: list[int]) -> None:
        """Read a few pairs with boxes: boxes made on other images are found out before the training starts."""
        self._pairs = pairs
        outside = []
        looked = indices[::max(1, len(indices) // LOOKED_AT)][:LOOKED_AT]
        for index in looked:
            try:
                height, width = pairs.read(index).shape[:2]
            except UserError:
                continue  # The sampler tells of pairs that cannot be read, and counts them.
            if not len(self.boxes(index, (height, width))):
                outside.append(f'{pairs.describe(index)} ({width} x {height} px)')
        if 2 * len(outside) > len(looked):
            raise UserError(f'{len(outside)} of {len(looked)} pairs looked at have all their boxes in {self.path} '
                            f'outside the image, e.g. {outside[0]}: the boxes are of images of another size')


def unjoined(boxes: Floats, joined: NDArray[np.bool_], width: int) -> Floats:
    """Move boxes of a joined canvas RGB | TIR to their own half.

    Args:
        boxes: `(n, 4)`, `xyxy`.
        joined: `(n,)`, which may lie on a canvas; they do where their centre lies beyond the RGB half.
        width: of a half, px.
    """
    beyond = joined & (boxes[:, 0] + boxes[:, 2] >= 2 * width)
    return boxes - np.outer(beyond, (width, 0, width, 0)).astype(boxes.dtype)
