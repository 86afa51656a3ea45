"""ToMP of half a million weights on 144 px crops."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.tomp.defaults import tomp_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """The paper's parameters on 144 px; the network is looked for as `tomp_small.pth.tar`."""
    params = tomp_params(sample_size=144)
    params.net = NetWithBackbone('tomp_small.pth.tar', use_gpu=params.use_gpu)
    return params
