"""`PairedSampler`: draws pairs and pseudo boxes and makes training samples of them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from cmd_plugin.data.pseudo_boxes import PseudoBox, check_pseudo_box
from cmd_plugin.errors import UserError
from cmd_plugin.upstream.seeding import seed_everything
from pytracking import TensorDict

logger = logging.getLogger(__name__)
WINDOW = 50


class PairSource(Protocol):
    """What the sampler needs of a data set; `PairedDataset` is one."""

    def __len__(self) -> int:
        """Number of pairs."""

    def read(self, index: int) -> NDArray[np.uint8]:
        """Pair as uint8 `(H, W, 6)`, RGB | TIR three times; a pair that cannot be used raises `UserError`."""

    def describe(self, index: int) -> str:
        """Name of the pair for messages."""

    def get_name(self) -> str:
        """Name of the data set."""


def no_processing(data: TensorDict) -> TensorDict:
    """Leave the sample as it is."""
    return data


class PairedSampler(Dataset[Any]):
    """Training samples of unlabelled pairs: one reference and one test frame, both of one pair.

    Pair and box hang on the global numpy generator alone, one number a sample, crops on the generators that
    the processing uses (`random`, torch): whoever seeds these for each sample (our toolkit's loader; on another
    toolkit this class, once it has an `epoch_seed`) decides everything. Pairs
    that cannot be read, or whose halves differ in size, are skipped: another is drawn, the file is named once
    in the log, and `skipped` counts (over all worker processes).

    Args:
        dataset: the pairs.
        pseudo_box: makes the box of a pair, `xywh` in image px; learns of the data set here, if it wants to
            (`bind`, see `PseudoBox`).
        samples_per_epoch: length of this data set.
        processing: makes crops, labels and proposals of a sample (`cross_modal_processing`).

    Raises:
        UserError: from `__getitem__`, when more than half of the last 50 draws failed, or a pseudo box lies
            outside its image.
    """

    def __init__(self, dataset: PairSource, pseudo_box: PseudoBox, samples_per_epoch: int,
                 processing: Callable[[TensorDict], TensorDict] = no_processing) -> None:
        self.dataset = dataset
        self.pseudo_box = pseudo_box
        if hasattr(pseudo_box, 'bind'):
            pseudo_box.bind(dataset)
        self.samples_per_epoch = samples_per_epoch
        self.epoch_seed: int | None = None
        self.processing = processing
        self._failed: deque[bool] = deque(maxlen=WINDOW)
        # Shared memory: worker processes write here what the main process reports.
        self._skipped = torch.zeros(1, dtype=torch.int64).share_memory_()
        self._bad = torch.zeros(len(dataset), dtype=torch.bool).share_memory_()

    def __len__(self) -> int:
        return self.samples_per_epoch

    @property
    def skipped(self) -> int:
        """How many draws were skipped so far, worker processes included."""
        return int(self._skipped.item())

    def summary(self) -> str:
        """One line on what was skipped or replaced so far, worker processes included; empty where nothing was."""
        skipped = f'skipped: {self.skipped} draws of {int(self._bad.sum())} pairs that could not be used'
        told = self.pseudo_box.summary() if hasattr(self.pseudo_box, 'summary') else ''
        return '; '.join(filter(None, (skipped if self.skipped else '', told)))

    def __getitem__(self, index: int) -> TensorDict:
        """Draw a sample; `index`, its place in the epoch, plays no part but in seeding.

        Returns:
            `train_images`, `test_images`: lists of one uint8 `(H, W, 6)` image, the same one;
            `train_anno`, `test_anno`: lists of one float32 `(4,)` pseudo box, `xywh` in image px; `dataset`:
            name; `test_class`: `'pair'`; `files`: name of the pair. All of it as `processing` turns it.
        """
        if self.epoch_seed is not None:
            seed_everything(self.epoch_seed, index)
        rng = np.random.default_rng(np.random.randint(2 ** 31))
        number, pair = self._draw(rng)
        size = (pair.shape[0], pair.shape[1])
        box = self.pseudo_box(number, size, rng)
        check_pseudo_box(box, size, self.dataset.describe(number))
        anno = torch.tensor([float(value) for value in box], dtype=torch.float32)
        return self.processing(TensorDict({
            'train_images': [pair], 'train_anno': [anno], 'test_images': [pair], 'test_anno': [anno.clone()],
            'dataset': self.dataset.get_name(), 'test_class': 'pair', 'files': self.dataset.describe(number)}))

    def _draw(self, rng: np.random.Generator) -> tuple[int, NDArray[np.uint8]]:
        """A pair that can be used, uniform among all, and its index."""
        while True:
            number = int(rng.integers(len(self.dataset)))
            try:
                pair = self.dataset.read(number)
            except UserError as error:
                self._note_failure(number, error)
            else:
                self._failed.append(False)
                return number, pair

    def _note_failure(self, number: int, error: UserError) -> None:
        """Count a skip, name the pair once, and stop when skipping is the rule."""
        self._skipped += 1
        self._failed.append(True)
        if not self._bad[number]:
            self._bad[number] = True
            logger.warning('skipped: %s', error)
        if 2 * sum(self._failed) > WINDOW:
            raise UserError(f'{sum(self._failed)} of the last {len(self._failed)} pairs drawn could not be '
                            f'used; the last one: {error}') from error
