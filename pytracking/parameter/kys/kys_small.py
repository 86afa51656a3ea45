"""KYS on `dimp_small`, for 144 px crops."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.dimp import dimp_small
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """Parameters of `dimp_small`; the network is looked for as `kys_small.pth.tar`."""
    params = dimp_small.parameters()
    params.fuse_response = True
    params.net = NetWithBackbone('kys_small.pth.tar', use_gpu=params.use_gpu)
    return params
