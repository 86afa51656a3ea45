"""Which weights a recipe starts from: its parent and the branches of its ancestors (paper, Table 1)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from cmd_plugin import checkpoints
from cmd_plugin.components.base import graft
from cmd_plugin.errors import UserError
from cmd_plugin.options import option
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES


def start(settings: Any, recipe: CMDRecipe) -> tuple[nn.Module, nn.Module]:
    """Student and parent of a recipe.

    With `--init PATH` both are that network. Otherwise the parent is the newest `a1` of the workspace, and the student
    is the parent with the branches that its ancestors have trained.

    Raises:
        UserError: an ancestor is missing (says which command makes it), or comes from another network.
    """
    given = option(settings, 'init', None, Path)
    if given is not None and recipe.init and not recipe.components:
        raise UserError(f'{recipe.name} is put together from {" and ".join(recipe.init)}: leave --init (CMD_INIT) out')
    if given is not None:
        net = checkpoints.load_parent(Path(given), option(settings, 'net', None))
        return net, copy.deepcopy(net)
    if recipe.name == 'a1':
        raise UserError('a1 is the RGB parent: give its checkpoint with --init, for example --init dimp50.pth.tar')
    require(recipe)
    parent = checkpoints.load_parent(_path('a1'), option(settings, 'net', None))
    student = copy.deepcopy(parent)
    state = dict(student.state_dict())
    for name in recipe.init:
        ancestor = _load_state(name, state)
        for modules in inherited(name):
            graft(state, ancestor, modules)
    student.load_state_dict(state)
    return student, parent


def inherited(name: str) -> list[tuple[str, ...]]:
    """Modules that differ from the parent in a network of recipe `name`: its own and its ancestors'."""
    recipe = RECIPES[name]
    own = [recipe.modules(component) for component in recipe.components]
    return own + [modules for ancestor in recipe.init for modules in inherited(ancestor)]


def require(recipe: CMDRecipe) -> None:
    """Raise `UserError` with the missing commands unless parent and ancestors are there."""
    missing = [name for name in ('a1', *recipe.init) if checkpoints.newest(name) is None]
    if missing:
        commands = '; '.join(command(name) for name in _in_order(missing))
        raise UserError(f'{recipe.name} starts from {" + ".join(missing)}, not found below '
                        f'{checkpoints.folder_of(missing[0]).parent}: run {commands}; or give --init PATH')


def command(name: str) -> str:
    """The command that makes a recipe's network."""
    rest = {'a1': ' --init dimp50.pth.tar', 'b3': ''}.get(name, ' --data PAIRS')
    return f'python ltr/run_training.py cmd_dimp {name}{rest}'


def _in_order(names: list[str]) -> list[str]:
    """Names with their own missing ancestors before them."""
    ordered: list[str] = []
    for name in names:
        before = [a for a in RECIPES[name].init if checkpoints.newest(a) is None]
        ordered += [n for n in [*_in_order(before), name] if n not in ordered]
    return ordered


def _path(name: str) -> Path:
    path = checkpoints.newest(name)
    if path is None:
        raise UserError(f'no checkpoint of {name}: run {command(name)}')
    return path


def _load_state(name: str, parent: dict[str, Tensor]) -> dict[str, Tensor]:
    path = _path(name)
    net, contents = checkpoints.load(path)
    recipe = (contents.get('net_info') or {}).get('recipe')
    if recipe != name:
        raise UserError(f'{path} is a network of {recipe!r}, not of {name}')
    state = dict(net.state_dict())
    if not checkpoints.same_backbone(parent, state):
        raise UserError(f'{path} comes from another parent than {_path("a1")}: their backbones differ')
    return state
