"""What the settings of PrDiMP and SuperDiMP add to DiMP's: boxes, and in PrDiMP labels, that are densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from ltr.actors.base_actor import BaseActor
from ltr.actors.kl_dimp import KLDiMPActor
from ltr.data.processing import KLDiMPProcessing
from ltr.models.loss.kl_regression import KLRegression, KLRegressionGrid
from ltr.models.loss.target_classification import LBHinge
from ltr.train_settings._shared import HINGE, STRIDE
from ltr.train_settings.dimp._common import LOSS_WEIGHT, DiMPRecipe, crops, label_params

PROPOSALS: Mapping[str, Any] = {'gt_sigma': (0.05, 0.05), 'proposal_sigma': ((0.05, 0.05), (0.5, 0.5))}
DENSITY_WEIGHT = {'test_clf': 0.25, 'test_init_clf': 0.25, 'test_iter_clf': 1.0}

WIDE_FACTOR = 6.0
WIDE: Mapping[str, Any] = {
    'output_sz': 22 * STRIDE, 'search_area_factor': WIDE_FACTOR, 'label_sigma': 1 / 4 / WIDE_FACTOR,
    'crop_type': 'inside_major', 'max_scale_change': 1.5, 'test_jitter': WIDE_FACTOR - 0.5}
"""The search area of the ResNet-50 trackers: that of tracking; the jitter leaves the target's centre inside."""
WIDE_SIGMA = 22 / 4 / WIDE_FACTOR  # of the label, score cells


def prdimp_processing(recipe: DiMPRecipe) -> KLDiMPProcessing:
    """Crops, label densities, and proposals with their densities."""
    return KLDiMPProcessing(**crops(recipe), proposal_params={**PROPOSALS, 'boxes_per_frame': recipe.proposals},
                            label_density_params={**label_params(recipe), 'normalize': True})


def super_dimp_processing(recipe: DiMPRecipe) -> KLDiMPProcessing:
    """Crops, DiMP's labels, and proposals with their densities."""
    return KLDiMPProcessing(**crops(recipe), proposal_params={**PROPOSALS, 'boxes_per_frame': recipe.proposals},
                            label_function_params=label_params(recipe))


def prdimp_actor(net: nn.Module, recipe: DiMPRecipe) -> BaseActor:
    """KL divergence of boxes and of score maps."""
    return KLDiMPActor(net, objective={'box': KLRegression(), 'test_density': KLRegressionGrid()},
                       loss_weight={**DENSITY_WEIGHT, 'box': recipe.box_weight})


def super_dimp_actor(net: nn.Module, recipe: DiMPRecipe) -> BaseActor:
    """KL divergence of boxes, DiMP's hinge loss of score maps."""
    return KLDiMPActor(net, objective={'box': KLRegression(), 'test_clf': LBHinge(threshold=HINGE)},
                       loss_weight={**LOSS_WEIGHT, 'box': recipe.box_weight})
