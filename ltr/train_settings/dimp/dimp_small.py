"""DiMP of a million weights on 144 px crops, trained from random weights: minutes on a CPU."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import dimpnet_small
from ltr.train_settings.dimp import _common

RECIPE = _common.DiMPRecipe(
    name='dimp_small', network=dimpnet_small, options={}, backbone_lr=1e-3, bb_regressor_lr=1e-3,
    classifier_lr=(1e-3, 1e-3, 1e-3), output_sz=144, frames=1, batch=24, samples=2400, epochs=10, decay=(7, 0.2),
    pretrained=False)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
