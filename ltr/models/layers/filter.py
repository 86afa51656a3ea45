"""Cross-correlation of features with one filter a sequence, and its transpose.

Legend: n frames, q sequences, C channels, H x W cells, k filter size; scores have side H + 1 - k mod 2. Zero padding is
floor(k/2) on every side, so that an even filter answers at the boundaries between cells.

Both operations are one matrix product over channels and a fold / unfold of the k x k offsets: no padded or unrolled
copy of the features is made, and gradients of any order are matrix products as well.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def apply_filter(feat: Tensor, weights: Tensor) -> Tensor:
    """Scores of every frame under its sequence's filter.

    Args:
        feat: (n, q, C, H, W).
        weights: (q, C, k, k).

    Returns:
        (n, q, H', W'); gradient flows to both.
    """
    n, q, channels, height, width = feat.shape
    k = weights.shape[-1]
    size = (height + 1 - k % 2, width + 1 - k % 2)
    taps = weights.flip(-2, -1).reshape(q, channels, k * k).transpose(1, 2)
    responses = taps @ feat.reshape(n, q, channels, height * width)
    scores = functional.fold(responses.reshape(n * q, k * k, height * width), size, k, padding=k - 1 - k // 2)
    return scores.reshape(n, q, *size)


def apply_feat_transpose(feat: Tensor, residuals: Tensor, filter_size: int) -> Tensor:
    """Transpose of `apply_filter`: the gradient of sum(scores * residuals) in the filter.

    Args:
        feat: (n, q, C, H, W).
        residuals: (n, q, H', W').
        filter_size: k.

    Returns:
        (q, C, k, k); gradient flows to both.
    """
    n, q, channels, height, width = feat.shape
    k = filter_size
    spread = functional.unfold(residuals.reshape(n * q, 1, *residuals.shape[-2:]), k, padding=k - 1 - k // 2)
    spread = spread.reshape(n, q, k * k, height * width)
    products = feat.reshape(n, q, channels, height * width) @ spread.transpose(-1, -2)
    return torch.flip(products.sum(dim=0).reshape(q, channels, k, k), (-2, -1))
