"""Choice of the device to compute on."""

from __future__ import annotations

import torch

from ltr.admin.errors import UserError


def pick_device(name: str | torch.device | None = 'auto') -> torch.device:
    """The device that `name` stands for.

    Args:
        name: 'auto' (or None) takes CUDA, else MPS, else the CPU; or 'cpu', 'cuda', 'cuda:1', 'mps'.

    Raises:
        UserError: not a device, or not available here.
    """
    available = ['cpu'] + [f'cuda:{index}' for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        available.append('mps')
    if name is None or str(name) == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'mps' if 'mps' in available else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f'unknown device {str(name)!r}: use auto, {", ".join(available)}') from error
    full = f'cuda:{device.index or 0}' if device.type == 'cuda' else device.type
    if full not in available:
        raise UserError(f'device {str(name)!r} is not available here: use auto, {", ".join(available)}')
    return device
