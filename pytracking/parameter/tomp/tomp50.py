"""ToMP with ResNet-50."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.tomp.defaults import tomp_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """The paper's parameters; the network is looked for as `tomp50.pth.tar`."""
    params = tomp_params()
    params.net = NetWithBackbone('tomp50.pth.tar', use_gpu=params.use_gpu)
    return params
