"""ToMP of half a million weights on 144 px crops, trained from random weights.

In so short a training boxes learn no sizes beside scores unless they weigh more than in the paper.
"""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.tompnet import tompnet_small
from ltr.train_settings.tomp import _common

RECIPE = _common.ToMPRecipe(
    name='tomp_small', network=tompnet_small, lr=1e-3, backbone_lr=1e-3, output_sz=144, label_sigma=0.1, max_gap=30,
    box_weight=20.0, batch=12, samples=1200, epochs=20, decays=(14, 18), grad_clip=1.0, grayscale=0.2, pretrained=False)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
