"""PrDiMP with a ResNet-50 backbone and a wider search area."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.kldimpnet import PRDIMP_OPTIONS, klcedimpnet50
from ltr.train_settings.dimp import _common, _kl

RECIPE = _common.DiMPRecipe(
    name='prdimp50', network=klcedimpnet50,
    options={**PRDIMP_OPTIONS, 'gauss_sigma': _kl.WIDE_SIGMA, 'out_feature_dim': 512, 'clf_feat_blocks': 0},
    backbone_lr=2e-5, bb_regressor_lr=2e-4, proposals=128, box_weight=0.0025, **_kl.WIDE)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE, _kl.prdimp_processing, _kl.prdimp_actor)
