"""What a network was made from: recorded with it, and compared before anything is made on top of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from cmd_plugin import checkpoints, networks
from cmd_plugin.errors import UserError
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES

OPTIONS = ('lambda_', 'mu', 'nu', 'tcl_loss', 'pseudo_box', 'box_fraction')
"""Fields of a recipe that options may change, and that the trainer does not compare by itself."""
ELSE = 'choose another --workspace, or remove it'


def record(recipe: CMDRecipe, student: nn.Module, parent: nn.Module) -> dict[str, Any]:
    """What a checkpoint says of its network: recipe, tracker, crop side, SHA-256 of teacher and starting weights."""
    options = {name.strip('_'): getattr(recipe, name) for name in OPTIONS} if recipe.components else {}
    return {'recipe': recipe.name, 'tracker': recipe.tracker, 'crop_size': networks.crop_size(student, recipe.tracker),
            'teacher': checkpoints.fingerprint(parent), 'start': checkpoints.fingerprint(student),
            'options': options}


def check_resume(recipe: CMDRecipe, info: dict[str, Any]) -> None:
    """Refuse to go on with a run that began under another teacher, or from other weights of its ancestors."""
    earlier = checkpoints.newest(recipe.name, recipe.tracker)
    if earlier is None:
        return
    before = checkpoints.load(earlier)[1].get('net_info') or {}
    if before.get('teacher', info['teacher']) != info['teacher']:
        raise UserError(f'{earlier} was trained under another parent: give the same --init (or a1) again, {ELSE}')
    if before.get('start', info['start']) != info['start']:
        came = f'of {" and ".join(recipe.init)}' if recipe.init else 'of its parent'
        raise UserError(f'{earlier} began from other weights {came} than those that are there now: {ELSE}')
    changed = [f'{name} {value} -> {info["options"][name]}' for name, value in before.get('options', {}).items()
               if info['options'].get(name, value) != value]
    if changed:
        print(f'notice: {earlier.name} was made with other options ({"; ".join(changed)})')


def put(recipe: CMDRecipe, net: nn.Module, info: dict[str, Any]) -> Path:
    """Keep a network that needs no training (a1, b3); the same one again is left as it is.

    Raises:
        UserError: another parent than the one that networks here were distilled from.
    """
    path = checkpoints.folder_of(recipe.name, recipe.tracker) / f'{type(net).__name__}_ep0001.pth.tar'
    if path.is_file() and _fingerprint(path) == info['start']:
        return path
    if path.is_file() and recipe.name == 'a1':
        made = [name for name in RECIPES[recipe.tracker] if name != 'a1'
                and checkpoints.newest(name, recipe.tracker) is not None]
        if made:
            raise UserError(f'{path} is another parent, from which {", ".join(made)} here were made: choose another '
                            '--workspace, or remove them')
    checkpoints.save(path, net, info)
    return path


def _fingerprint(path: Path) -> str:
    return checkpoints.fingerprint(checkpoints.load(path)[0])
