"""The one way by which a tracked frame's numbers come from the device: each call waits until the device is done."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def to_host(tensor: Tensor) -> np.ndarray:
    """Numbers of a tensor; on the CPU they share its memory. Waits for the device."""
    return tensor.cpu().numpy()


def to_device(array: np.ndarray, device: torch.device | str) -> Tensor:
    """A tensor with the numbers of an array; on the CPU it shares their memory. Does not wait for the device."""
    # From memory that is not pinned, the copy is staged at once: the array may change as soon as this returns.
    return torch.from_numpy(array).to(device, non_blocking=True)
