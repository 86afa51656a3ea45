"""DiMP with a ResNet-50 backbone."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet50
from ltr.train_settings.dimp import _common

RECIPE = _common.DiMPRecipe(
    name='dimp50', network=dimpnet50, options={**STOCK_OPTIONS, 'out_feature_dim': 512, 'clf_feat_blocks': 0},
    backbone_lr=2e-5, bb_regressor_lr=2e-4)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
