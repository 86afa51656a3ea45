"""Training samples of the online classifier, with exponentially forgotten weights."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ltr.admin.errors import UserError
from pytracking.features.host import to_device


class SampleMemory:
    """Ring of features and targets; the samples of the first frame keep their place and a least total weight.

    Args:
        features: (n0, C, H, W) classification features of the first frame.
        targets: (n0, ...) what goes with each: a box (4,), `xywh`, crop px (DiMP), or a label map (H, W) (ATOM).
        capacity: number of slots.
        minimum_weight: least total weight of the first frame's samples; `None` or 0 sets none.
        keep_first: the first frame's samples are never replaced, also without a least weight.

    Raises:
        UserError: more samples than slots.
    """

    def __init__(self, features: Tensor, targets: Tensor, capacity: int, minimum_weight: float | None,
                 keep_first: bool = False) -> None:
        self.initial = features.shape[0]
        if self.initial > capacity or (keep_first and self.initial == capacity):
            raise UserError(f'{self.initial} first samples do not fit a memory of {capacity}: raise sample_memory_size')
        self.minimum_weight = minimum_weight
        self.keep_first = keep_first or bool(minimum_weight)
        self.stored = self.initial
        self.features = features.new_zeros(capacity, *features.shape[1:])
        self.targets = targets.new_zeros(capacity, *targets.shape[1:])
        self.features[:self.initial] = features
        self.targets[:self.initial] = targets
        self.weights = np.zeros(capacity)
        self.weights[:self.initial] = 1 / self.initial
        self.previous: int | None = None

    def insert(self, features: Tensor, target: Tensor, rate: float) -> None:
        """Store one sample (1, C, H, W) with its target (...), learned at `rate`."""
        slot = self._weigh(rate)
        self.features[slot] = features[0]
        self.targets[slot] = target
        self.previous = slot
        self.stored += 1

    def samples(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features (n, C, H, W), targets (n, ...) and weights (n,) of the filled slots."""
        n = min(self.stored, len(self.weights))
        weights = to_device(self.weights[:n].astype(np.float32), self.features.device)
        return self.features[:n], self.targets[:n], weights

    def _weigh(self, rate: float) -> int:
        """Weights after a new sample, and its slot."""
        weights = self.weights
        if rate == 1:
            weights[:] = 0
            weights[0] = 1
            return 0
        fixed = self.initial if self.keep_first else 0
        slot = self.stored if self.stored < len(weights) else fixed + int(np.argmin(weights[fixed:]))
        if self.previous is None:
            weights /= 1 - rate
            weights[slot] = rate
        else:
            weights[slot] = weights[self.previous] / (1 - rate)
        weights /= weights.sum()
        if self.minimum_weight and weights[:self.initial].sum() < self.minimum_weight:
            weights /= self.minimum_weight + weights[self.initial:].sum()
            weights[:self.initial] = self.minimum_weight / self.initial
        return slot
