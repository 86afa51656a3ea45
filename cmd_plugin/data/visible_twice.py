"""Pairs without thermal images, for the control of an experiment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.data.wrapped import WrappedPairs


class VisibleTwice(WrappedPairs):
    """Pairs whose second half is the RGB image again.

    Args:
        pairs: where they come from; everything but the second half stays as it is.
    """

    def read(self, index: int) -> NDArray[np.uint8]:
        """Pair as uint8 `(H, W, 6)`, RGB | RGB; raises as the pairs do."""
        visible = self.pairs.read(index)[..., :3]
        return np.concatenate((visible, visible), axis=2)
