"""DiMP of a million weights on 144 px crops, trained from random weights: minutes on a CPU."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import dimpnet_small
from ltr.train_settings.dimp import _common

RECIPE = _common.DiMPRecipe(
    name='dimp_small', network=dimpnet_small, options={}, backbone_lr=7e-4, bb_regressor_lr=1e-3,
    classifier_lr=(5e-4, 5e-4, 5e-4), label_sigma=0.1, output_sz=144, frames=1, batch=12, samples=1200, epochs=16,
    decay=(1, 0.87), proposals=16, iou_weight=3.0, pretrained=False)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
