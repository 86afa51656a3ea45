"""What a run needs of anything that shows its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np


class Visualizer(Protocol):
    """Is shown every frame of a run; may hold the run up."""

    def show(self, title: str, image: np.ndarray, boxes: Mapping[str, Sequence[float]],
             output: Mapping[str, Any]) -> None:
        """Show one frame.

        Args:
            title: sequence and frame number.
            image: (H, W, 3) uint8, RGB, as the tracker saw it; not changed.
            boxes: label -> box, `xywh`, image px; rows of NaN are left out.
            output: what the tracker returned. `search_area` (`xywh`, image px), `score_map` (H', W') and `confidence`
                are shown where a tracker gives them.
        """

    def close(self) -> None:
        """Let go of windows, files and connections."""
