"""SuperDiMP: DiMP's target classifier and PrDiMP's box regression on ResNet-50."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.dimp.kl_defaults import kl_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """Stock parameters; the network is looked for as `super_dimp.pth.tar`."""
    params = kl_params(wide=True)
    params.net = NetWithBackbone('super_dimp.pth.tar', use_gpu=params.use_gpu)
    return params
