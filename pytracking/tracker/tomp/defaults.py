"""Parameters of the ToMP tracker."""

from __future__ import annotations

from pytracking.tracker.common.defaults import localization_params
from pytracking.utils.params import TrackerParams


def tomp_params(sample_size: int = 18 * 16) -> TrackerParams:
    """Parameters of ToMP on crops of `sample_size` px; the caller adds `net`.

    The memory's threshold is the paper's (ToMP, Sec. 3.5); localisation is DiMP's.
    """
    params = localization_params()
    params.image_sample_size = sample_size
    params.border_mode = 'replicate'
    params.use_iou_net = False  # every cell tells a box by itself
    params.memory_threshold = 0.9
    return params
