"""ATOM with a backbone of 0.3 M weights on 144 px crops."""

from __future__ import annotations

from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.atom.defaults import atom_params
from pytracking.utils.params import TrackerParams


def parameters() -> TrackerParams:
    """Stock parameters on 144 px; the network is looked for as `atom_small.pth.tar`."""
    params = atom_params(sample_size=144)
    params.output_sigma_factor = 1 / 2  # as many feature cells as on 288 px
    # So small a predictor cannot rank random boxes, and the size drifts unless it follows slowly.
    params.num_init_random_boxes = 0
    params.box_refinement_step_length = (0.5, 0.1)
    params.net = NetWithBackbone('atom_small.pth.tar', use_gpu=params.use_gpu)
    return params
