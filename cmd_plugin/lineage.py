"""Which weights a recipe starts from: its parent and the branches of its ancestors (paper, Table 1)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from cmd_plugin import checkpoints, networks
from cmd_plugin.components.base import graft
from cmd_plugin.errors import UserError
from cmd_plugin.families import FAMILIES
from cmd_plugin.options import option
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES, with_ancestors
from cmd_plugin.upstream.activation import active


def start(settings: Any, recipe: CMDRecipe) -> tuple[nn.Module, nn.Module]:
    """Student and parent of a recipe.

    With `--init PATH` both are that network. Otherwise the parent is the newest `a1` of the workspace, and the student
    is the parent with the branches that its ancestors have trained.

    Raises:
        UserError: an ancestor is missing (says which command makes it), or comes from another network.
    """
    given = option(settings, 'init', None, Path)
    net_name = option(settings, 'net', None)
    if given is not None and recipe.init and not recipe.components:
        raise UserError(f'{recipe.name} is put together from {" and ".join(recipe.init)}: leave --init (CMD_INIT) out')
    if given is not None:
        net = networks.load_parent(Path(given), net_name, recipe.tracker)
        return net, copy.deepcopy(net)
    if recipe.name == 'a1':
        raise UserError('a1 is the RGB parent: give its checkpoint with --init, for example --init '
                        f'{recipe.family.file}')
    require(recipe)
    parent_path = _path('a1', recipe.tracker)
    parent = networks.load_parent(parent_path, net_name, recipe.tracker)
    student = copy.deepcopy(parent)
    state = dict(student.state_dict())
    for name in recipe.init:
        path = _path(name, recipe.tracker)
        donor, info = descendant(path, parent_path, parent)
        if (info.get('tracker', recipe.tracker), info.get('recipe')) != (recipe.tracker, name):
            raise UserError(f'{path} is a network of {info.get("recipe")!r}, not of {name}')
        for modules in inherited(recipe.tracker, name):
            graft(state, donor, modules)
    student.load_state_dict(state)
    return student, parent


def inherited(tracker: str, name: str) -> list[tuple[str, ...]]:
    """Modules that differ from the parent in a network of recipe `name`: its own and its ancestors'."""
    recipe = RECIPES[tracker][name]
    own = [recipe.modules(component) for component in recipe.components]
    return own + [modules for ancestor in recipe.init for modules in inherited(tracker, ancestor)]


def descendant(path: Path, parent_path: Path, parent: nn.Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and record of a network that must have been distilled from `parent`.

    Raises:
        UserError: it is another network, or was distilled from another parent.
    """
    net, contents = checkpoints.load(path)
    state, base = dict(net.state_dict()), parent.state_dict()
    info = contents.get('net_info') or {}
    if set(state) != set(base) or any(state[key].shape != base[key].shape for key in state):
        raise UserError(f'{path} holds another network ({_kind(net)}) than {parent_path} ({_kind(parent)})')
    if not checkpoints.same_backbone(dict(base), state):
        raise UserError(f'{path} comes from another parent than {parent_path}: their backbones differ')
    # ATOM's parents may well share the backbone of an image classifier; the record tells them apart.
    if info.get('recipe') != 'a1' and 'teacher' in info and info['teacher'] != checkpoints.fingerprint(parent):
        raise UserError(f'{path} comes from another parent than {parent_path}: it was distilled from other weights')
    return state, info


def _kind(net: nn.Module) -> str:
    return getattr(getattr(net, 'constructor', None), 'fun_name', type(net).__name__)


def require(recipe: CMDRecipe) -> None:
    """Raise `UserError` with the missing commands unless parent and ancestors are there."""
    missing = [name for name in ('a1', *recipe.init) if checkpoints.newest(name, recipe.tracker) is None]
    if missing:
        needed = with_ancestors(recipe.tracker, tuple(missing))
        commands = '; '.join(command(name, recipe.tracker) for name in needed
                             if checkpoints.newest(name, recipe.tracker) is None)
        raise UserError(f'{recipe.name} starts from {" + ".join(missing)}, not found below '
                        f'{checkpoints.folder_of(missing[0], recipe.tracker).parent}: run {commands}; or give '
                        '--init PATH')


def command(name: str, tracker: str = 'cmd_dimp') -> str:
    """The command that makes a recipe's network."""
    boxes = ' --data PAIRS, with CMD_BOXES=FILE (made by python -m cmd_plugin detect)'
    rest = {'a1': f' --init {FAMILIES[tracker].file}', 'b3': '', 'd5': boxes}.get(name, ' --data PAIRS')
    checkout = active()
    start = 'python ltr/run_training.py' if checkout is None else f'python -m cmd_plugin --upstream {checkout} train'
    return f'{start} {tracker} {name}{rest}'


def _path(name: str, tracker: str) -> Path:
    path = checkpoints.newest(name, tracker)
    if path is None:
        raise UserError(f'no checkpoint of {name}: run {command(name, tracker)}')
    return path
