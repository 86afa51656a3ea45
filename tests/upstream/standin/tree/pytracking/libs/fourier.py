"""Fourier transforms in the names of an old torch."""

import torch


def low_pass(signal):
    """Half of a map's frequencies, by the old functions."""
    transformed = torch.rfft(signal, 2)
    transformed[..., transformed.shape[-2] // 2:, :] = 0
    return torch.irfft(transformed, 2, signal_sizes=signal.shape[-2:])
