"""Score-map labels: a Gaussian at the target centre, on the cells that the target classifier predicts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Pair = float | Sequence[float]


def gaussian_label_function(target_bb: Tensor, sigma_factor: float, kernel_sz: Pair, feat_sz: Pair,
                            image_sz: Pair, end_pad_if_even: bool = True) -> Tensor:
    """Gaussian label of peak height 1, not normalised ("DiMP", Sec. 3.5).

    With a kernel of even size the score map has one cell more than the features, and the centre lies half a
    cell further. For 18 features of a 288 px crop and kernel 4 the peak is at cell index centre / 16.

    Args:
        target_bb: boxes `xywh` (..., 4), crop px.
        sigma_factor: standard deviation over the geometric mean of the feature sides.
        kernel_sz: side of the filter, or (width, height).
        feat_sz: side of the feature map, cells, or (width, height).
        image_sz: side of the crop, px, or (width, height).
        end_pad_if_even: append the further cell for even kernels.

    Returns:
        (..., rows, columns), values in [0, 1], of the dtype of `target_bb`. No gradient is needed or cut.
    """
    feat, kernel, image = _pair(feat_sz), _pair(kernel_sz), _pair(image_sz)
    sigma = sigma_factor * (feat[0] * feat[1]) ** 0.5
    centre = target_bb[..., :2] + 0.5 * target_bb[..., 2:]
    columns, rows = (_gaussian_axis(centre[..., axis], sigma, int(kernel[axis]), int(feat[axis]), image[axis],
                                    end_pad_if_even) for axis in (0, 1))
    return rows.unsqueeze(-1) * columns.unsqueeze(-2)


def _gaussian_axis(centre: Tensor, sigma: float, kernel: int, feat: int, image: float, pad: bool) -> Tensor:
    """Profile (..., cells) along one axis."""
    even = (kernel + 1) % 2
    peak = feat * (centre - image / 2) / image + 0.5 * even
    cells = feat + (even if pad else 0)
    grid = torch.arange(cells, dtype=centre.dtype, device=centre.device) - (feat - 1) / 2
    return torch.exp(-(grid - peak.unsqueeze(-1)) ** 2 / (2 * sigma ** 2))


def _pair(value: Pair) -> tuple[float, float]:
    if isinstance(value, (int, float)):
        return value, value
    first, second = value
    return first, second
