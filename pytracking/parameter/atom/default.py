"""ATOM with ResNet-18."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.atom.defaults import atom_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """Stock parameters; the network is looked for as `atom18.pth.tar`."""
    params = atom_params()
    params.net = NetWithBackbone('atom18.pth.tar', use_gpu=params.use_gpu)
    return params
