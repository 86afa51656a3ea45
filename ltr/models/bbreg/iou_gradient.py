"""The predicted IoU and its gradient in the proposals, in closed form (ATOM, Sec. 3.2 and 3.4).

The prediction is a chain of few steps: weights of cells in bins (see `prroi_pool`), pooling, two linear layers with
ReLU, one linear layer. Written out, its gradient costs two products with each matrix, and no graph is recorded.

Legend: N frames, P proposals of all frames together, C channels, h x w cells of a window, S bins a side (5 at stride 8,
3 at stride 16), E edges of bins of both levels together, L longest side of the windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_linear_bn_eval

from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.bbreg.window import Window
from ltr.models.layers.blocks import LinearBlock

BINS = (5, 3)
STRIDES = (8, 16)


@dataclass(frozen=True)
class Level:
    """One linear layer on pooled bins, with batch norm, ReLU and its share of the last layer.

    Attributes:
        weight: (S S, C, outputs): bins by x, then by y.
        bias: (outputs,).
        last: (outputs,) weights of the last layer.
    """

    weight: Tensor
    bias: Tensor
    last: Tensor


class IoUHead:
    """The part of an IoU predictor behind its features, with all that does not change from frame to frame.

    Args:
        net: in eval mode; batch norms may be folded (`nn.Identity`). Its weights are copied.
    """

    def __init__(self, net: AtomIoUNet) -> None:
        last = net.iou_predictor.weight[0].detach().split([net.fc3_rt.linear.out_features,
                                                           net.fc4_rt.linear.out_features])
        self.levels = [_level(block, bins, part)
                       for block, bins, part in zip((net.fc3_rt, net.fc4_rt), BINS, last, strict=True)]
        self.bias = net.iou_predictor.bias.detach()
        like = self.bias
        self.level_of_edge = [level for level, bins in enumerate(BINS) for _ in range(bins + 1)]
        self.steps = like.new_tensor([k / bins for bins in BINS for k in range(bins + 1)])
        self.scale = 1 / like.new_tensor([STRIDES[level] for level in self.level_of_edge])
        self.bins = like.new_tensor([BINS[level] for level in self.level_of_edge[:-1]])

    def on(self, modulation: Sequence[Tensor], feat: Sequence[Tensor], windows: Sequence[Window]) -> FrameIoU:
        """The predictor of one frame, or of N with equal windows.

        Args:
            modulation: two (N, C, 1, 1).
            feat: IoU features of both levels on their windows, (N, C, h, w) each.
            windows: of both levels.
        """
        return FrameIoU(self, modulation, feat, windows)


def _level(block: LinearBlock, bins: int, last: Tensor) -> Level:
    linear = block.linear
    if isinstance(block.bn, nn.BatchNorm2d):
        linear = fuse_linear_bn_eval(linear, block.bn)
    weight = linear.weight.detach().unflatten(1, (-1, bins, bins)).permute(3, 2, 1, 0).flatten(0, 1)
    return Level(weight.contiguous(), linear.bias.detach(), last)


class FrameIoU:
    """Predicted 2 IoU - 1 of boxes in N frames; see `IoUHead.on`."""

    def __init__(self, head: IoUHead, modulation: Sequence[Tensor], feat: Sequence[Tensor],
                 windows: Sequence[Window]) -> None:
        self.head = head
        # Pooling is linear: the features are modulated once, not the bins of every box in every step.
        self.cells = [(f * m).permute(0, 3, 2, 1).contiguous() for f, m in zip(feat, modulation, strict=True)]
        like, longest = self.cells[0], max(max(f.shape[-2:]) for f in feat)
        self.grid = torch.arange(longest, device=like.device, dtype=like.dtype)
        origin = [[window.columns[0] for window in windows], [window.rows[0] for window in windows]]
        if origin != [[0, 0], [0, 0]]:
            of_edges = [[firsts[level] for level in head.level_of_edge] for firsts in origin]
            self.grid = like.new_tensor(of_edges)[..., None] + self.grid

    def value_and_gradient(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Prediction and its gradient.

        Args:
            boxes: (N, boxes of a frame, 4) `xywh`, crop px, or (P, 4) of one frame; cells outside the windows count
                as zero.

        Returns:
            (N, boxes of a frame) or (P,), and the gradient of each prediction in its own box, shape of `boxes`; zero
            where a box has no area.
        """
        shape, boxes = boxes.shape, boxes.reshape(-1, 4)
        weights = self._bin_weights(boxes)
        value, gradient = self.head.bias, torch.zeros_like(boxes)
        first = 0
        for level, cells, bins in zip(self.head.levels, self.cells, BINS, strict=True):
            of_level = weights[:, :, :, first:first + bins]
            share, by_box = _predict(level, cells, of_level[:, :, 0, :, :cells.shape[1]],
                                     of_level[:, :, 1, :, :cells.shape[2]])
            value, gradient = value + share, gradient + by_box
            first += bins + 1
        return value.reshape(shape[:-1]), gradient.reshape(shape)

    def _bin_weights(self, boxes: Tensor) -> Tensor:
        """Mean-pooling weights of the cells of both levels, and their derivatives in position and size.

        Returns:
            (3, P, 2, E - 1, L): weight, derivatives; axis x, y; bins of stride 8, one row of no use, bins of stride 16.
        """
        head = self.head
        corner, side = boxes[:, :2, None], boxes[:, 2:, None]
        edges = torch.addcmul(corner, side, head.steps) * head.scale
        t = (edges[..., None] - self.grid).clamp_(-1.0, 1.0)
        size = t.abs()
        hat = 1.0 - size
        # The integral of the hat up to an edge; its derivatives by the box's position (in cells) and its size.
        at_edges = torch.stack((t * (1.0 - 0.5 * size), hat, hat * head.steps[:, None]))
        of_bins = at_edges[..., 1:, :] - at_edges[..., :-1, :]
        # Without an area, a side that is infinite makes everything zero.
        side = side.masked_fill(~(side > 0).all(dim=1, keepdim=True), torch.inf)
        of_bins *= (head.bins / side)[..., None]
        of_bins[0] /= head.scale[1:, None]
        of_bins[2] -= of_bins[0] / side[..., None]
        return of_bins


def _predict(level: Level, cells: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """A level's share of the prediction (P,), and its gradient (P, 4) in `xywh`.

    Args:
        level: its linear layers.
        cells: (N, w, h, C), modulated.
        x: (3, P, S, w) weights of cells in bins, and their derivatives in the box's position and size.
        y: (3, P, S, h).
    """
    frames, width, height, channels = cells.shape
    _, number, bins, _ = x.shape
    flat = cells.flatten(2)
    # Legend of the products: columns of bins (P S), bins of a column (S), rows of cells (h), channels.
    y_of_columns = y[0][:, None].expand(-1, bins, -1, -1).reshape(-1, bins, height)
    rows = torch.bmm(x[0].reshape(frames, -1, width), flat).reshape(-1, height, channels)
    pooled = torch.bmm(y_of_columns, rows).reshape(number, -1, channels)
    # Bin by bin: the threads share the bins, and each has a small matrix.
    hidden = (torch.bmm(pooled.transpose(0, 1), level.weight).sum(dim=0) + level.bias).relu_()
    # Of the ReLU's output: it is positive where the input is.
    back = ((hidden > 0) * level.last).expand(bins * bins, -1, -1)
    back = torch.bmm(back, level.weight.transpose(1, 2)).transpose(0, 1).reshape(-1, bins, channels)
    by_y = torch.bmm(back, rows.transpose(1, 2)).reshape(number, bins, bins, height).sum(dim=1)
    by_x = torch.bmm(y_of_columns.transpose(1, 2), back).reshape(frames, -1, height * channels)
    by_x = torch.bmm(by_x, flat.transpose(1, 2)).reshape(number, bins, width)
    gradient = torch.stack(((x[1:] * by_x).sum(dim=(2, 3)), (y[1:] * by_y).sum(dim=(2, 3))), dim=1)
    return hidden @ level.last, gradient.reshape(4, number).t()
