"""Stock parameters that trackers share."""

from __future__ import annotations

from pytracking.utils.params import TrackerParams


def localization_params() -> TrackerParams:
    """Device, search area and localisation: of all trackers that read score maps."""
    params = TrackerParams()
    params.debug = 0
    params.use_gpu = True

    params.update_classifier = True
    params.search_area_scale = 5

    params.advanced_localization = True
    params.target_not_found_threshold = 0.25
    params.distractor_threshold = 0.8
    params.hard_negative_threshold = 0.5
    params.target_neighborhood_scale = 2.2
    params.displacement_scale = 0.8
    params.update_scale_when_uncertain = True
    return params


def online_params() -> TrackerParams:
    """The same, memory and box refinement: of trackers with an online classifier and an IoU predictor."""
    params = localization_params()
    params.learning_rate = 0.01
    params.hard_negative_learning_rate = 0.02
    params.init_samples_minimum_weight = 0.25
    params.use_augmentation = True
    params.augmentation_expansion_factor = 2
    params.random_shift_factor = 1 / 3

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
