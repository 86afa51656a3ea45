"""A loss on tracks that are lost."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LostTrackHinge(nn.Module):
    """Hinge on the peak away from the target, which must stay below the one on it (KYS, training loss).

    Mean over all maps of `max(0, margin + greatest response away from the target - greatest response on it)`: 0 as
    long as the target would be found, however the rest of the map looks.

    Args:
        margin: least distance of the two peaks.
        threshold: the target is where the label is not below it.
    """

    def __init__(self, margin: float = 0.25, threshold: float = 0.05) -> None:
        super().__init__()
        self.margin = margin
        self.threshold = threshold

    def forward(self, response: Tensor, label: Tensor) -> Tensor:
        """Scalar loss of maps (..., H', W') in [0, 1]; in a frame that does not show the target, its peak counts as 0.

        Gradient flows to the two peaks of every map.
        """
        on_target = label >= self.threshold
        target = response.masked_fill(~on_target, 0).amax(dim=(-2, -1))
        rival = response.masked_fill(on_target, 0).amax(dim=(-2, -1))
        return torch.relu(self.margin + rival - target).mean()
