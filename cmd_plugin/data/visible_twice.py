"""Pairs without thermal images, for the control of an experiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.sampler import PairSource


class VisibleTwice:
    """Pairs whose second half is the RGB image again.

    Args:
        pairs: where they come from; everything but the second half stays as it is.
    """

    def __init__(self, pairs: PairSource) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def read(self, index: int) -> NDArray[np.uint8]:
        """Pair as uint8 `(H, W, 6)`, RGB | RGB; raises as the pairs do."""
        visible = self.pairs.read(index)[..., :3]
        return np.concatenate((visible, visible), axis=2)

    def describe(self, index: int) -> str:
        """Name of the pair for messages."""
        return self.pairs.describe(index)

    def paths(self, index: int) -> tuple[Path, Path]:
        """RGB and TIR file of a pair, where the pairs tell."""
        return self.pairs.paths(index)  # type: ignore[attr-defined]

    def get_name(self) -> str:
        """Name of the data set."""
        return self.pairs.get_name()
