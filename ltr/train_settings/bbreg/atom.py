"""ATOM with a ResNet-18 backbone, or a ResNet-50 with `--net atom50`; the backbone keeps its ImageNet weights."""

from __future__ import annotations

from ltr.admin.errors import UserError
from ltr.admin.settings import Settings
from ltr.models.bbreg.atom import atom_resnet18, atom_resnet50
from ltr.train_settings.bbreg import _common

RECIPES = {'atom18': _common.AtomRecipe(name='atom18', network=atom_resnet18),
           'atom50': _common.AtomRecipe(name='atom50', network=atom_resnet50)}


def run(settings: Settings) -> None:
    """Train."""
    name = settings.option('net', 'atom18')
    if name not in RECIPES:
        raise UserError(f'this setting trains atom18 or atom50; for --net {name} take the setting dimp {name}')
    _common.run(settings, RECIPES[name])
