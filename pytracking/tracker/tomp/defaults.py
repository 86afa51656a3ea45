"""Parameters of the ToMP tracker."""

from __future__ import annotations

from pytracking.utils.params import TrackerParams


def tomp_params(sample_size: int = 18 * 16) -> TrackerParams:
    """Parameters of ToMP on crops of `sample_size` px; the caller adds `net`.

    The memory's threshold is the paper's (ToMP, Sec. 3.5); localisation is DiMP's.
    """
    params = TrackerParams()
    params.debug = 0
    params.use_gpu = True
    params.image_sample_size = sample_size
    params.search_area_scale = 5
    params.border_mode = 'replicate'

    params.use_iou_net = False  # every cell tells a box by itself
    params.update_classifier = True
    params.memory_threshold = 0.9

    params.advanced_localization = True
    params.target_not_found_threshold = 0.25
    params.distractor_threshold = 0.8
    params.hard_negative_threshold = 0.5
    params.target_neighborhood_scale = 2.2
    params.displacement_scale = 0.8
    params.update_scale_when_uncertain = True
    return params
