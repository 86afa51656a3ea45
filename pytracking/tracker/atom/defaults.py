"""Stock parameters of the ATOM tracker."""

from __future__ import annotations

from pytracking.tracker.common.defaults import online_params
from pytracking.utils.params import TrackerParams


def atom_params(sample_size: int = 18 * 16) -> TrackerParams:
    """Parameters of ATOM on crops of `sample_size` px; the caller adds `net`."""
    params = online_params()
    params.max_image_sample_size = params.min_image_sample_size = sample_size ** 2
    params.feature_size_odd = sample_size % 32 != 0
    params.normalize_power = 2
    _classifier(params)
    _first_frame(params)
    return params


def _classifier(params: TrackerParams) -> None:
    """The online classifier: its two layers, their optimisation and its memory."""
    params.kernel_size = 4
    params.compressed_dim = 64
    params.filter_init_method = 'randn'
    params.projection_init_method = 'randn'
    params.projection_activation = 'none'
    params.response_activation = ('mlu', 0.05)
    params.filter_reg = 1e-1
    params.projection_reg = 1e-4
    params.output_sigma_factor = 1 / 4

    params.update_projection_matrix = True
    params.init_CG_iter = 60
    params.init_GN_iter = 6
    params.post_init_CG_iter = 0
    params.fletcher_reeves = False
    params.standard_alpha = True
    params.CG_forgetting_rate = None

    params.sample_memory_size = 250
    params.train_skipping = 10
    params.CG_iter = 5
    params.hard_negative_CG_iter = 5


def _first_frame(params: TrackerParams) -> None:
    params.augmentation = {
        'fliplr': True,
        'rotate': [angle * sign for angle in (5, 10, 20, 30, 45, 60) for sign in (1, -1)],
        'blur': [(2, 0.2), (0.2, 2), (3, 1), (1, 3), (2, 2)],
        'relativeshift': [(0.6, 0.6), (-0.6, 0.6), (0.6, -0.6), (-0.6, -0.6)],
        'dropout': (7, 0.2),
    }
