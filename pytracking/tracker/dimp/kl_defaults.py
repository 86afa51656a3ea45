"""Stock parameters of PrDiMP and SuperDiMP: DiMP's, with boxes refined in relative coordinates."""

from __future__ import annotations

from pytracking.tracker.dimp.defaults import dimp_params
from pytracking.utils.params import TrackerParams


def kl_params(wide: bool = False) -> TrackerParams:
    """DiMP's parameters with PrDiMP's box refinement; the caller adds `net`.

    Args:
        wide: a search area of 6 target sides on 352 px, moved and shrunk into the image, in place of 5 on 288 px.
    """
    params = dimp_params(22 * 16 if wide else 18 * 16)
    if wide:
        params.search_area_scale = 6
        params.border_mode = 'inside_major'
        params.patch_max_scale_change = 1.5
    params.box_refinement_space = 'relative'
    params.box_refinement_iter = 10
    params.box_refinement_step_length = 2.5e-3
    return params


def prdimp_params(wide: bool = False) -> TrackerParams:
    """`kl_params`, with scores that are a density over the map."""
    params = kl_params(wide)
    params.score_preprocess = 'softmax'
    params.target_not_found_threshold = 0.04
    return params
