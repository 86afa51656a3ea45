"""KYS on DiMP-50, or with `--net kys18` on DiMP-18."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import STOCK_OPTIONS
from ltr.models.tracking.kysnet import kysnet18, kysnet50
from ltr.train_settings._shared import check_net
from ltr.train_settings.kys import _common

RECIPES = {
    'kys50': _common.KYSRecipe('kys50', kysnet50, {**STOCK_OPTIONS, 'out_feature_dim': 512, 'clf_feat_blocks': 0},
                               dimp='dimp50.pth.tar'),
    'kys18': _common.KYSRecipe('kys18', kysnet18, {**STOCK_OPTIONS, 'out_feature_dim': 256, 'clf_feat_blocks': 1},
                               dimp='dimp18.pth.tar')}


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPES[check_net(settings, *RECIPES)])
