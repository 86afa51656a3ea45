"""What is stamped over the place in each frame: actors (figures on a path) and standing occluders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .motion import Curve
from .sprite import Affine, Patch, Sprite, apply, chain, warp


class Layer(Protocol):
    """Anything that is stamped over the backdrop."""

    def piece(self, t: int) -> tuple[Patch, Affine, float]:
        """Patch, matrix from its px to image px, and extra heat (K) in frame t."""
        ...

    def depth(self, t: int) -> float:
        """Order of painting in frame t: larger is nearer."""
        ...


@dataclass
class Actor:
    """A sprite on a path.

    Attributes:
        kind: class name.
        sprite: pictures of its poses.
        path: position of its middle, image px (length, 2).
        scale: px per unit of the figure (length,).
        angle: in-plane rotation, radians (length,).
        stretch: factor of its width, negative when it faces left (length,).
        pose: index of the pose (length,).
        heat: K added to its temperature (length,).
        flies: painted over what stands on the ground.
    """

    kind: str
    sprite: Sprite
    path: Curve
    scale: Curve
    angle: Curve
    stretch: Curve
    pose: NDArray[np.int64]
    heat: Curve
    flies: bool

    def matrix(self, t: int) -> Affine:
        """Unit coordinates to image px."""
        c, s = self.scale[t] * math.cos(self.angle[t]), self.scale[t] * math.sin(self.angle[t])
        k = self.stretch[t]
        return np.array([[c * k, -s, self.path[t, 0]], [s * k, c, self.path[t, 1]]])

    def box(self, t: int) -> NDArray[np.float64]:
        """Tight box `xywh` of the whole outline, image px."""
        corners = apply(self.matrix(t), self.sprite.hulls[self.pose[t]])
        low = corners.min(axis=0)
        return np.concatenate([low, corners.max(axis=0) - low])

    def keep_inside(self, width: int, height: int, margin: float = 1.5) -> None:
        """Move the path so that every box lies wholly inside the image."""
        limit = np.array([width, height], float)
        for t in range(len(self.path)):
            box = self.box(t)
            low = np.maximum(margin - box[:2], 0)
            high = np.minimum(limit - margin - box[:2] - box[2:], 0)
            self.path[t] += np.where(low > 0, low, high)

    def piece(self, t: int) -> tuple[Patch, Affine, float]:
        """See `Layer`."""
        patch, to_unit = self.sprite.patch(int(self.pose[t]), float(self.scale[t]))
        return patch, chain(self.matrix(t), to_unit), float(self.heat[t])

    def depth(self, t: int) -> float:
        """See `Layer`: what stands lower in the image is nearer; what flies is nearest."""
        foot = float(self.path[t, 1] + self.scale[t] * self.sprite.extent[1] / 2)
        return foot + (1e4 if self.flies else 0.0)


@dataclass
class Occluder:
    """A patch that stands in the world, in front of the target.

    Attributes:
        patch: picture.
        place: matrix from its px to backdrop px.
        cameras: for each frame, backdrop px to image px.
        order: depth.
    """

    patch: Patch
    place: Affine
    cameras: Sequence[Affine]
    order: float

    def piece(self, t: int) -> tuple[Patch, Affine, float]:
        """See `Layer`."""
        return self.patch, chain(self.cameras[t], self.place), 0.0

    def depth(self, t: int) -> float:
        """See `Layer`."""
        return self.order


def _cover(
    layer: Layer, t: int, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], NDArray[np.float32]] | None:
    patch, matrix, _ = layer.piece(t)
    warped = warp(Patch(patch.alpha, patch.alpha), matrix, shape)
    return None if warped is None else (warped[0], warped[2])


def hidden_by(target: Actor, layer: Layer, t: int, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """Alpha of a nearer layer over the target's region; None where it is behind or elsewhere."""
    if layer.depth(t) <= target.depth(t):
        return None
    patch, matrix, _ = layer.piece(t)
    height, width = patch.alpha.shape
    corners = apply(matrix, np.array([(0, 0), (width, 0), (width, height), (0, height)], float))
    box = target.box(t)
    if (corners.max(axis=0) < box[:2]).any() or (corners.min(axis=0) > box[:2] + box[2:]).any():
        return None
    covered = _cover(layer, t, shape)
    if covered is None:
        return None
    full = np.zeros(shape, np.float32)
    full[covered[0]] = covered[1]
    return full


def visibility(
    target: Actor, layers: Sequence[Layer], t: int, shape: tuple[int, int]
) -> tuple[float, list[float]]:
    """How much of the target can be seen in frame t.

    Args:
        target: the actor that is asked for.
        layers: all others.
        t: frame.
        shape: (height, width) of the image.

    Returns:
        (visible share 0 ... 1, share that each layer hides by itself).
    """
    own = _cover(target, t, shape)
    if own is None:
        return 0.0, [0.0] * len(layers)
    region, alpha = own
    total = max(float(alpha.sum()), 1e-6)
    seen = alpha.copy()
    shares = []
    for layer in layers:
        over = hidden_by(target, layer, t, shape)
        if over is None:
            shares.append(0.0)
            continue
        shares.append(float((alpha * over[region]).sum()) / total)
        seen *= 1 - over[region]
    return float(seen.sum()) / total, shares
