"""`torch.rfft` and `torch.irfft` as torch 1.7 documented them, by `torch.fft`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, fft


def rfft(input: Tensor, signal_ndim: int, normalized: bool = False, onesided: bool = True) -> Tensor:
    """Fourier transform of a real signal over its last axes.

    Args:
        input: real, (..., *signal).
        signal_ndim: number of axes of the signal.
        normalized: divide by the root of the signal's size.
        onesided: give half of the last axis; the other half follows by symmetry.

    Returns:
        (..., *signal, 2), real and imaginary part.
    """
    axes = tuple(range(-signal_ndim, 0))
    norm = 'ortho' if normalized else 'backward'
    return torch.view_as_real((fft.rfftn if onesided else fft.fftn)(input, dim=axes, norm=norm))


def irfft(input: Tensor, signal_ndim: int, normalized: bool = False, onesided: bool = True,
          signal_sizes: Sequence[int] | None = None) -> Tensor:
    """Inverse of `rfft`.

    Args:
        input: (..., *signal, 2).
        signal_ndim, normalized, onesided: as for `rfft`.
        signal_sizes: sizes of the signal's axes; by default the last axis is taken to be even.

    Returns:
        Real, (..., *signal).
    """
    axes = tuple(range(-signal_ndim, 0))
    norm = 'ortho' if normalized else 'backward'
    values = torch.view_as_complex(input.contiguous())
    if not onesided:
        return fft.ifftn(values, dim=axes, norm=norm).real
    return fft.irfftn(values, s=tuple(signal_sizes) if signal_sizes else None, dim=axes, norm=norm)
