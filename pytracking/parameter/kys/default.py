"""KYS on DiMP-50 or DiMP-18."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.kys.defaults import kys_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """Stock parameters; the network is looked for as `kys.pth.tar`."""
    params = kys_params()
    params.net = NetWithBackbone('kys.pth.tar', use_gpu=params.use_gpu)
    return params
