"""PrDiMP with a ResNet-18 backbone."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.kldimpnet import PRDIMP_OPTIONS, klcedimpnet18
from ltr.train_settings.dimp import _common, _kl

RECIPE = _common.DiMPRecipe(
    name='prdimp18', network=klcedimpnet18, options={**PRDIMP_OPTIONS, 'out_feature_dim': 256, 'clf_feat_blocks': 1},
    backbone_lr=2e-4, bb_regressor_lr=1e-3, proposals=128, box_weight=0.0025)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE, _kl.prdimp_processing, _kl.prdimp_actor)
