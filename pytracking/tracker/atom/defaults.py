"""Stock parameters of the ATOM tracker."""

from __future__ import annotations

from pytracking.utils.params import TrackerParams


def atom_params(sample_size: int = 18 * 16) -> TrackerParams:
    """Parameters of ATOM on crops of `sample_size` px; the caller adds `net`."""
    params = TrackerParams()
    params.debug = 0
    params.use_gpu = True

    params.max_image_sample_size = params.min_image_sample_size = sample_size ** 2
    params.search_area_scale = 5
    params.feature_size_odd = sample_size % 32 != 0
    params.normalize_power = 2
    _classifier(params)
    _first_frame(params)

    params.advanced_localization = True
    params.target_not_found_threshold = 0.25
    params.distractor_threshold = 0.8
    params.hard_negative_threshold = 0.5
    params.target_neighborhood_scale = 2.2
    params.displacement_scale = 0.8
    params.hard_negative_learning_rate = 0.02
    params.update_scale_when_uncertain = True

    params.use_iou_net = True
    params.iounet_augmentation = False
    params.iounet_k = 3
    params.num_init_random_boxes = 9
    params.box_jitter_pos = 0.1
    params.box_jitter_sz = 0.5
    params.maximal_aspect_ratio = 6
    params.box_refinement_iter = 5
    params.box_refinement_step_length = 1
    params.box_refinement_step_decay = 1
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

    params.update_classifier = True
    params.sample_memory_size = 250
    params.learning_rate = 0.01
    params.init_samples_minimum_weight = 0.25
    params.train_skipping = 10
    params.CG_iter = 5
    params.hard_negative_CG_iter = 5


def _first_frame(params: TrackerParams) -> None:
    params.use_augmentation = True
    params.augmentation = {
        'fliplr': True,
        'rotate': [angle * sign for angle in (5, 10, 20, 30, 45, 60) for sign in (1, -1)],
        'blur': [(2, 0.2), (0.2, 2), (3, 1), (1, 3), (2, 2)],
        'relativeshift': [(0.6, 0.6), (-0.6, 0.6), (0.6, -0.6), (-0.6, -0.6)],
        'dropout': (7, 0.2),
    }
    params.augmentation_expansion_factor = 2
    params.random_shift_factor = 1 / 3
