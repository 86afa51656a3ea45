"""A box for every cell, from features that a predicted filter weighs (ToMP, Sec. 3.3)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ltr.models.layers.filter import apply_filter

USUAL_EXTENT = 0.1
"""Where untrained boxes begin: half a target's side over a crop's, with a search area of five target sides."""


class DenseBoxRegressor(nn.Module):
    """Attention map of a 1x1 filter, features times that map, a tower of convolutions, exponential of its output.

    Args:
        channels: C.
        layers: convolutions of the tower, each with group norm and ReLU.
    """

    def __init__(self, channels: int, layers: int = 4) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for _ in range(layers):
            blocks += [nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                       nn.GroupNorm(math.gcd(32, channels), channels), nn.ReLU(inplace=True)]
        self.tower = nn.Sequential(*blocks)
        self.extents = nn.Conv2d(channels, 4, 3, padding=1)
        nn.init.normal_(self.extents.weight, 0.0, 0.01)
        assert self.extents.bias is not None
        nn.init.constant_(self.extents.bias, math.log(USUAL_EXTENT))

    def forward(self, feat: Tensor, weights: Tensor) -> Tensor:
        """Positive distances to the box's sides.

        Args:
            feat: (N, C, H, W).
            weights: (N, C), one filter an image.

        Returns:
            (N, 4, H, W) left, top, right, bottom, over the crop's sides; gradient flows to both.
        """
        attention = apply_filter(feat[None], weights[..., None, None])[0]
        return self.extents(self.tower(feat * attention[:, None])).exp()
