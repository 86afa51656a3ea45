"""PrDiMP with ResNet-18."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.dimp.kl_defaults import prdimp_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """Stock parameters; the network is looked for as `prdimp18.pth.tar`."""
    params = prdimp_params()
    params.net = NetWithBackbone('prdimp18.pth.tar', use_gpu=params.use_gpu)
    return params
