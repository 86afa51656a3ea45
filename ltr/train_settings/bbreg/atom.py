"""ATOM with a ResNet-18 backbone, or a ResNet-50 with `--net atom50`; the backbone keeps its ImageNet weights."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.models.bbreg.atom import atom_resnet18, atom_resnet50
from ltr.train_settings._shared import check_net
from ltr.train_settings.bbreg import _common

RECIPES = {'atom18': _common.AtomRecipe(name='atom18', network=atom_resnet18),
           'atom50': _common.AtomRecipe(name='atom50', network=atom_resnet50)}


def run(settings: Settings) -> None:
    """Train."""
    _common.run(settings, RECIPES[check_net(settings, *RECIPES)])
