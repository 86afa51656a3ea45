"""What a detector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Candidates:
    """Boxes found on one image: `(n, 4)` `xyxy` in image px, `(n,)` confidences in falling order, `n` class names."""

    boxes: NDArray[np.floating]
    scores: NDArray[np.floating]
    labels: list[str]


class Detector(Protocol):
    """Finds objects in RGB images.

    Attributes:
        names: classes that it knows.
        source: what decides its answers, in one line: kind, file, hash of the weights.
    """

    names: tuple[str, ...]
    source: str

    def __call__(self, image: NDArray[np.uint8], least: float) -> Candidates:
        """Detect.

        Args:
            image: uint8 `(H, W, 3)`, RGB.
            least: confidence from which on a box is kept.
        """
