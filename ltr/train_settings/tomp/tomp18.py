"""ToMP with a ResNet-18 backbone."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.tompnet import tompnet18
from ltr.train_settings.tomp import _common

RECIPE = _common.ToMPRecipe(name='tomp18', network=tompnet18)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
