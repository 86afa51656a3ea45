"""The first half of the model predictor: a filter straight from the target's features (DiMP, Sec. 3.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ltr.models.layers.prroi_pool import prroi_pool_boxes


class FilterInitializerLinear(nn.Module):
    """One 3x3 convolution, PrRoI pooling of the target region to filter size, mean over the frames.

    Args:
        filter_size: k.
        feature_dim: C.
        filter_norm: divide the filter by C k k.
        pool_square: pool the square of the box's centre and area instead of the box.
        init_weights: `'default'` (Gaussian) or `'zero'`.
    """

    SCALE = 1 / 16

    def __init__(self, filter_size: int = 4, feature_dim: int = 256, filter_norm: bool = True,
                 pool_square: bool = False, init_weights: str = 'default') -> None:
        super().__init__()
        if init_weights not in ('default', 'zero'):
            raise ValueError(f"init_weights must be 'default' or 'zero', not {init_weights!r}")
        self.filter_size = filter_size
        self.filter_norm = filter_norm
        self.pool_square = pool_square
        self.filter_conv = nn.Conv2d(feature_dim, feature_dim, kernel_size=3, padding=1)
        if init_weights == 'zero':
            nn.init.zeros_(self.filter_conv.weight)
        else:
            nn.init.normal_(self.filter_conv.weight, 0.0, math.sqrt(2.0 / (9 * feature_dim)))
        assert self.filter_conv.bias is not None
        nn.init.zeros_(self.filter_conv.bias)

    def forward(self, feat: Tensor, bb: Tensor) -> Tensor:
        """Initial filter.

        Args:
            feat: (n, q, C, H, W) classification features of the reference frames; 4 dimensions mean q = 1.
            bb: (n, q, 4) target boxes, `xywh`, crop px; (n, 4) with q = 1.

        Returns:
            (q, C, k, k); gradient flows to features and weights.
        """
        feat = feat if feat.dim() == 5 else feat[:, None]
        n, q, channels, height, width = feat.shape
        boxes = self._region(bb.reshape(n * q, 1, 4))
        conv = self.filter_conv(feat.reshape(n * q, channels, height, width))
        pooled = prroi_pool_boxes(conv, boxes, self.filter_size, self.SCALE)
        weights = pooled.reshape(n, q, channels, self.filter_size, self.filter_size).mean(dim=0)
        return weights / (channels * self.filter_size ** 2) if self.filter_norm else weights

    def _region(self, xywh: Tensor) -> Tensor:
        corner, size = xywh[..., :2], xywh[..., 2:]
        if self.pool_square:
            side = size.prod(dim=-1, keepdim=True).sqrt()
            corner, size = corner + (size - side) / 2, side.expand_as(size)
        return torch.cat((corner, corner + size), dim=-1)
