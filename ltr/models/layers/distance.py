"""Learned functions of the distance to the target centre."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DistanceMap(nn.Module):
    """Piecewise linear functions of distance, given by their values at equally spaced bins.

    The hat functions of the bins sum to one, so a 1x1 convolution over them is the linear interpolation of its weights:
    two look-ups a cell in place of N channels. Beyond the last bin the last value holds.

    Args:
        num_bins: N.
        bin_displacement: score cells between two bins.
    """

    def __init__(self, num_bins: int, bin_displacement: float = 1.0) -> None:
        super().__init__()
        self.num_bins = num_bins
        self.bin_displacement = bin_displacement

    def forward(self, centre: Tensor, size: tuple[int, int], tables: Tensor) -> Tensor:
        """Evaluate T functions on a grid.

        Args:
            centre: (M, 2) target centres (y, x), score cells.
            size: (H', W') of the grid.
            tables: (T, N) values at the bins.

        Returns:
            (T, M, H', W'); gradient flows to `tables` only in practice (boxes are data).
        """
        rows = torch.arange(size[0], device=centre.device, dtype=centre.dtype).view(1, -1, 1)
        columns = torch.arange(size[1], device=centre.device, dtype=centre.dtype).view(1, 1, -1)
        squared = (rows - centre[:, 0].view(-1, 1, 1)) ** 2 + (columns - centre[:, 1].view(-1, 1, 1)) ** 2
        position = (squared.sqrt() / self.bin_displacement).clamp(max=self.num_bins - 1)
        low = position.detach().floor().clamp(max=max(self.num_bins - 2, 0))
        fraction = position - low
        index = low.long()
        upper = (index + 1).clamp(max=self.num_bins - 1)
        return tables[:, index] * (1 - fraction) + tables[:, upper] * fraction
