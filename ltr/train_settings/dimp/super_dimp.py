"""SuperDiMP: DiMP's target classifier and PrDiMP's box regression on ResNet-50, with mirrored crops."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import STOCK_OPTIONS, dimpnet50
from ltr.train_settings.dimp import _common, _kl

RECIPE = _common.DiMPRecipe(
    name='super_dimp', network=dimpnet50,
    options={**STOCK_OPTIONS, 'init_gauss_sigma': _kl.WIDE_SIGMA, 'out_feature_dim': 512, 'clf_feat_blocks': 0},
    backbone_lr=2e-5, bb_regressor_lr=2e-4, proposals=128, box_weight=0.01, flip=0.5,
    flip_crops=0.5, **_kl.WIDE)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE, _kl.super_dimp_processing, _kl.super_dimp_actor)
