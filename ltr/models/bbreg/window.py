"""Convolutions on a window of a feature map, with the numbers of the whole map.

What reads only a part of a map, as pooling inside of proposals does, needs its convolutions there alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from ltr.models.layers.winograd import WinogradConv2d


@dataclass(frozen=True)
class Window:
    """A rectangle of feature cells.

    Attributes:
        rows: first row, and the one after the last.
        columns: alike.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]

    def grown(self, cells: int, size: tuple[int, int]) -> Window:
        """Larger by some cells on every side, cut to a map of `size` (rows, columns)."""
        return Window(_grown(self.rows, cells, size[0]), _grown(self.columns, cells, size[1]))


def _grown(span: tuple[int, int], cells: int, length: int) -> tuple[int, int]:
    return max(span[0] - cells, 0), min(span[1] + cells, length)


def whole(feat: Tensor) -> Window:
    """All cells of (N, C, H, W)."""
    return Window((0, feat.shape[-2]), (0, feat.shape[-1]))


def conv_blocks_on(blocks: Sequence[nn.Sequential], feat: Tensor, window: Window) -> Tensor:
    """A window of what blocks make of a map.

    Args:
        blocks: each a 3x3 convolution with padding 1, then whatever works cell by cell (see `conv_block`).
        feat: (N, C, H, W).
        window: not empty, within the map.

    Returns:
        (N, C', rows, columns) of `window`, equal to the same cells of `blocks` applied to all of `feat`; gradient
        flows.
    """
    size = (feat.shape[-2], feat.shape[-1])
    if window == whole(feat):
        for block in blocks:
            feat = block(feat)
        return feat
    have = window.grown(len(blocks), size)
    feat = feat[:, :, slice(*have.rows), slice(*have.columns)]
    for index, block in enumerate(blocks):
        wanted = window.grown(len(blocks) - 1 - index, size)
        # A cell that the map does not have is zero for every block, not what the block before would make of zeros.
        padding = (*_missing(have.columns, wanted.columns), *_missing(have.rows, wanted.rows))
        if any(padding):
            feat = functional.pad(feat, padding)
        feat = block[1:](_unpadded(block[0], feat))
        have = wanted
    return feat


def _unpadded(conv: nn.Module, feat: Tensor) -> Tensor:
    if isinstance(conv, WinogradConv2d):
        return conv.unpadded(feat)
    assert isinstance(conv, nn.Conv2d)
    return functional.conv2d(feat, conv.weight, conv.bias)


def _missing(have: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int]:
    """Cells before and after `have` that a 3x3 convolution to `wanted` asks for."""
    return have[0] - wanted[0] + 1, wanted[1] + 1 - have[1]
