"""Convolution and linear blocks, named as in stock checkpoints."""

from __future__ import annotations

from torch import Tensor, nn


def conv_block(in_planes: int, out_planes: int, kernel_size: int = 3, padding: int = 1) -> nn.Sequential:
    """Convolution with bias (`.0`), batch norm (`.1`), ReLU."""
    return nn.Sequential(nn.Conv2d(in_planes, out_planes, kernel_size, padding=padding, bias=True),
                         nn.BatchNorm2d(out_planes), nn.ReLU(inplace=True))


class LinearBlock(nn.Module):
    """Linear layer with bias over the (C, row, column) flattening, batch norm, ReLU.

    Args:
        in_planes: channels of the input (N, C, S, S).
        out_planes: outputs (N, out_planes).
        input_size: S.
    """

    def __init__(self, in_planes: int, out_planes: int, input_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_planes * input_size * input_size, out_planes)
        self.bn = nn.BatchNorm2d(out_planes)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.linear(x.flatten(1))
        return self.relu(self.bn(x[:, :, None, None])).flatten(1)
