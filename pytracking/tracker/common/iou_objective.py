"""What box refinement climbs: the predicted IoU in one frame, from as little of the frame as it needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.bbreg.iou_gradient import STRIDES, FrameIoU, IoUHead
from ltr.models.bbreg.window import Window, conv_blocks_on, whole

MARGINS = (0.1, 0.3)
"""Room around the boxes, in sides of the first box: of the first window, and of the one that follows when a box leaves
it; then the whole map."""
ROUND = 16
"""Sides of windows are multiples of this, px: a convolution prepares itself for every new size, which takes longer."""


class IoUObjective:
    """Predicted IoU of an `AtomIoUNet` with its gradient, on the window of the features that the boxes lie in.

    With `windows`, IoU features are computed around the proposals only: pooling reads no other cell, so the numbers
    are those of the whole map. When a box moves out of the window, a larger one takes its place. This is for one frame
    on the CPU: on other devices the whole map costs little, and a look at the boxes would wait for the device.

    Args:
        net: in eval mode.
        head: of `net`.
        modulation: two (N, C, 1, 1).
        feat: backbone features of stride 8 and 16, (N, C, H, W) each.
        windows: compute only what is needed; N must be 1.
    """

    def __init__(self, net: AtomIoUNet, head: IoUHead, modulation: Sequence[Tensor], feat: Sequence[Tensor],
                 windows: bool = True) -> None:
        self.head, self.modulation, self.windows = head, modulation, windows
        margins = MARGINS if windows else ()
        blocks = ((net.conv3_1t, net.conv3_2t), (net.conv4_1t, net.conv4_2t))
        self.levels = [_Level(b, f, stride, list(margins)) for b, f, stride in zip(blocks, feat, STRIDES, strict=True)]
        self.frame: FrameIoU | None = None

    def value_and_gradient(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """See `FrameIoU.value_and_gradient`."""
        if self.frame is None or any(level.bounded for level in self.levels):
            hull = _hull(boxes.reshape(-1, 4)) if self.windows else None
            moved = [level.cover(hull, boxes.reshape(-1, 4)) for level in self.levels]
            if self.frame is None or any(moved):
                self.frame = self.head.on(self.modulation, [level.features for level in self.levels],
                                          [level.window for level in self.levels])
        return self.frame.value_and_gradient(boxes)


Bounds = tuple[float, float, float, float]


def _hull(boxes: Tensor) -> Bounds | None:
    """Smallest `xyxy` rectangle around `xywh` boxes, crop px; `None` when there is a number that is not finite."""
    array = boxes.detach().cpu().numpy()
    low, high = array[:, :2].min(axis=0), (array[:, :2] + array[:, 2:]).max(axis=0)
    hull = float(low[0]), float(low[1]), float(high[0]), float(high[1])
    return hull if all(map(math.isfinite, hull)) else None


def _within(hull: Bounds, room: Bounds) -> bool:
    return hull[0] >= room[0] and hull[1] >= room[1] and hull[2] <= room[2] and hull[3] <= room[3]


def _window(hull: Bounds, margin: float, stride: int, feat: Tensor) -> Window:
    """Cells of `feat` that pooling inside of the hull and a margin reads, and some more for a round size."""
    return Window(_span(hull[1] - margin, hull[3] + margin, stride, feat.shape[-2]),
                  _span(hull[0] - margin, hull[2] + margin, stride, feat.shape[-1]))


def _span(low: float, high: float, stride: int, length: int) -> tuple[int, int]:
    """First cell, and the one after the last, of a side of the window; never empty, within the map."""
    # A cell counts from one cell before it to one after it.
    first = min(max(math.floor(low / stride), 0), length - 1)
    after = min(max(math.ceil(high / stride) + 1, first + 1), length)
    step = ROUND // stride
    size = min(-(-(after - first) // step) * step, length)
    first = min(max(first - (size - (after - first)) // 2, 0), length - size)
    return first, first + size


class _Level:
    """IoU features of one stride, as far as they are computed."""

    features: Tensor

    def __init__(self, blocks: Sequence[nn.Sequential], feat: Tensor, stride: int, margins: list[float]) -> None:
        self.blocks, self.feat, self.stride, self.margins = blocks, feat, stride, margins
        self.window: Window = whole(feat)
        self.made = False

    @property
    def bounded(self) -> bool:
        """Whether there are cells that are not computed."""
        return not self.made or self.window != whole(self.feat)

    def cover(self, hull: Bounds | None, boxes: Tensor) -> bool:
        """Have features wherever boxes in `hull` need them; whether that took new ones."""
        if self.made and (not self.bounded or (hull is not None and _within(hull, self._room()))):
            return False
        if self.margins and hull is not None:
            margin = self.margins.pop(0) * float(boxes[0, 2:].clamp(0, 1e6).prod()) ** 0.5
            self.window = _window(hull, margin, self.stride, self.feat)
        else:
            self.window = whole(self.feat)
        self.features, self.made = conv_blocks_on(self.blocks, self.feat, self.window), True
        return True

    def _room(self) -> Bounds:
        """Where boxes may lie, `xyxy`, crop px, without needing cells of the map outside of the window."""
        low, high = [-math.inf] * 2, [math.inf] * 2
        for axis, (first, after) in enumerate((self.window.columns, self.window.rows)):
            if first > 0:
                low[axis] = first * self.stride
            if after < self.feat.shape[-1 - axis]:
                high[axis] = (after - 1) * self.stride
        return low[0], low[1], high[0], high[1]
