"""ToMP with a ResNet-50 backbone."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.tompnet import tompnet50
from ltr.train_settings.tomp import _common

RECIPE = _common.ToMPRecipe(name='tomp50', network=tompnet50)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
