"""KYS on `dimp_small`, for 144 px crops: minutes on a CPU."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.kysnet import kysnet_small
from ltr.train_settings._shared import check_net
from ltr.train_settings.kys import _common

RECIPE = _common.KYSRecipe('kys_small', kysnet_small, {}, dimp='dimp_small.pth.tar', label_sigma=0.1, output_sz=144,
                           frames=12, references=1, batch=4, samples=240, epochs=10, decay=(4, 0.5))


def run(settings: Settings) -> None:
    """Train."""
    check_net(settings, RECIPE.name)
    _common.run(settings, RECIPE)
