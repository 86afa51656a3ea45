"""A GPU for a toolkit that takes `use_gpu` at its word."""

from __future__ import annotations

import inspect

import torch

from pytracking.features.net_wrappers import NetWithBackbone


def gpu_to_use(wanted: bool) -> bool:
    """`use_gpu` of a tracker: as wanted, where the toolkit chooses the device by itself or there is a GPU.

    Args:
        wanted: of the stock parameters, which say yes.
    """
    chooses = 'device' in inspect.signature(NetWithBackbone).parameters
    return wanted and (chooses or torch.cuda.is_available())
