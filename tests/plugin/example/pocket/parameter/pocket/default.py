"""The tracker with its network from `workspace/networks/pocket.pth.tar`."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.utils.params import TrackerParams


def tracking(crop_size: int) -> TrackerParams:
    """All but the network."""
    params = TrackerParams()
    params.crop_size, params.search_area_scale, params.use_gpu = crop_size, 5.0, True
    return params


def parameters() -> TrackerParams:
    """What `run_tracker.py pocket default` calls."""
    params = tracking(128)
    params.net = NetWithBackbone('pocket.pth.tar', use_gpu=params.use_gpu)
    return params
