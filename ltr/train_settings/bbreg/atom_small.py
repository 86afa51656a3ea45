"""ATOM of 0.9 million weights on 144 px crops: minutes on a CPU.

There is no pretrained backbone of this size: with `--init` it starts from that of a trained `dimp_small`, else from
random weights, and learns along.
"""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.bbreg.atom import atom_small
from ltr.train_settings._shared import check_net
from ltr.train_settings.bbreg import _common

RECIPE = _common.AtomRecipe(
    name='atom_small', network=atom_small, backbone_lr=1e-3, output_sz=144, batch=32, samples=1600, epochs=20,
    decay=(1, 0.88), pretrained=False)


def run(settings: Settings) -> None:
    """Train."""
    check_net(settings, RECIPE.name)
    _common.run(settings, RECIPE)
