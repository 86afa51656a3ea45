"""DiMP with ResNet-50."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.dimp.defaults import dimp_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """Stock parameters; the network is looked for as `dimp50.pth.tar`."""
    params = dimp_params()
    params.net = NetWithBackbone('dimp50.pth.tar', use_gpu=params.use_gpu)
    return params
