"""Stock parameters of the DiMP tracker."""

from __future__ import annotations

from pytracking.tracker.common.defaults import online_params
from pytracking.utils.params import TrackerParams


def dimp_params(sample_size: int = 18 * 16) -> TrackerParams:
    """Parameters of DiMP on crops of `sample_size` px; the caller adds `net`."""
    params = online_params()
    params.image_sample_size = sample_size
    params.border_mode = 'replicate'

    params.sample_memory_size = 50
    params.train_skipping = 20
    params.net_opt_iter = 10
    params.net_opt_update_iter = 2
    params.net_opt_hn_iter = 1

    params.augmentation = {
        'fliplr': True,
        'rotate': [10, -10, 45, -45],
        'blur': [(3, 1), (1, 3), (2, 2)],
        'relativeshift': [(0.6, 0.6), (-0.6, 0.6), (0.6, -0.6), (-0.6, -0.6)],
        'dropout': (2, 0.2),
    }
    return params
