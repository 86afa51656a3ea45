"""DiMP of a million weights on 144 px crops, trained from random weights: minutes on a CPU.

While weights are random the unrolled filter optimiser makes rare, huge gradients: they are clipped, and Adam forgets
them soon, or else its steps are too small for a long time.
"""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.tracking.dimpnet import dimpnet_small
from ltr.train_settings.dimp import _common

RECIPE = _common.DiMPRecipe(
    name='dimp_small', network=dimpnet_small, options={}, backbone_lr=1e-3, bb_regressor_lr=1e-3,
    classifier_lr=(1e-3, 1e-3, 1e-3), label_sigma=0.1, output_sz=144, frames=1, batch=12, samples=1200, epochs=20,
    decay=(1, 0.88), beta2=0.99, grad_clip=5.0, proposals=16, box_weight=3.0, pretrained=False, grayscale=0.2,
    flip=0.5)


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPE)
