"""DiMP with a ResNet-18 backbone."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet18
from ltr.train_settings.dimp import _common

RECIPE = _common.DiMPRecipe(
    name='dimp18', network=dimpnet18, options={**STOCK_OPTIONS, 'out_feature_dim': 256, 'clf_feat_blocks': 1},
    backbone_lr=2e-4, bb_regressor_lr=1e-3)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
