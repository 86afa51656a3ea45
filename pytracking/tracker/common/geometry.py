"""Between image and crop. Positions and sizes are numpy pairs (y, x) / (height, width)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """A crop's place in the image.

    Attributes:
        pos: centre (y, x), image px.
        scale: image px a crop px.
        size: (height, width), crop px.
    """

    pos: np.ndarray
    scale: float
    size: np.ndarray

    @classmethod
    def of_corners(cls, coords: np.ndarray, size: np.ndarray) -> Sample:
        """The sample of a crop with corners (y1, x1, y2, x2), image px."""
        top_left, bottom_right = coords[:2], coords[2:]
        scale = float(np.sqrt(np.prod((bottom_right - top_left) / size)))
        return cls((top_left + bottom_right - 1) / 2, scale, size)

    @property
    def area(self) -> list[float]:
        """The crop's place in the image, `xywh`, image px."""
        size = self.size * self.scale
        corner = self.pos - (size - 1) / 2
        return [float(corner[1]), float(corner[0]), float(size[1]), float(size[0])]

    def box_of(self, pos: np.ndarray, target_sz: np.ndarray) -> np.ndarray:
        """Target (centre and size, image px) as `xywh` box in crop px."""
        centre = (pos - self.pos) / self.scale + (self.size - 1) / 2
        size = target_sz / self.scale
        return np.concatenate(((centre - (size - 1) / 2)[::-1], size[::-1]))

    def target_of(self, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre and size (image px) of an `xywh` box in crop px.

        Not the inverse of `box_of`: half a crop pixel lies between the two, and stock results depend on it.
        """
        centre = box[:2] + box[2:] / 2
        return (centre[::-1] - (self.size - 1) / 2) * self.scale + self.pos, box[:1:-1] * self.scale
