"""The finder on `sys.meta_path` of an active process: where the toolkit comes from, and what follows an import."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from cmd_plugin.upstream import hooks

TOOLKIT = ('ltr', 'pytracking')
INSIDE = ('ltr.', 'pytracking.')  # the finder of an editable install would add what the checkout lacks from ours


class Finder(MetaPathFinder):
    """First on `sys.meta_path`: `ltr` and `pytracking` are the checkout's, and `hooks` get their say.

    Args:
        checkout: folder of the checkout.
    """

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        hooks.at_once()

    def find_spec(self, fullname: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        """Spec of a module that concerns the plugin; `None` leaves all others to the other finders.

        Raises:
            ModuleNotFoundError: the checkout has no such module.
        """
        stand_in = hooks.stand_in(fullname)
        if stand_in is None and fullname not in TOOLKIT and not hooks.concerns(fullname):
            return self._of_checkout(fullname, path, target) if fullname.startswith(INSIDE) else None
        found = None if stand_in is not None and stand_in.always else self._elsewhere(fullname, path, target)
        if found is None:
            return None if stand_in is None else self._made(fullname, stand_in)
        extra = hooks.folder_of(fullname)
        if extra is not None and found.submodule_search_locations is not None:
            found.submodule_search_locations = [*found.submodule_search_locations, extra]
        actions = hooks.after(fullname)
        if actions and found.loader is not None:
            _follow(found.loader, actions)
        return found

    def _elsewhere(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        if name in TOOLKIT:
            return PathFinder.find_spec(name, [str(self.checkout)], target)
        if name.startswith(INSIDE):
            return PathFinder.find_spec(name, path, target)
        specs = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        return next((spec for spec in specs if spec is not None), None)

    def _of_checkout(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec:
        found = PathFinder.find_spec(name, path, target)
        if found is None:
            raise ModuleNotFoundError(f'No module named {name!r} in {self.checkout}', name=name)
        return found

    def _made(self, name: str, stand_in: hooks.StandIn) -> ModuleSpec | None:
        return spec_from_loader(name, _Made(stand_in), is_package=stand_in.package)

    def catch_up(self) -> None:
        """Do for modules that are imported already what would have followed their import."""
        for name in [name for name in sys.modules if hooks.concerns(name)]:
            extra, module = hooks.folder_of(name), sys.modules[name]
            if extra is not None:
                module.__path__ = [*module.__path__, extra]
            for action in hooks.after(name):
                action(module)


class _Made(Loader):
    """Loader of a module that has no file."""

    def __init__(self, stand_in: hooks.StandIn) -> None:
        self.stand_in = stand_in

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The usual module object."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fill it."""
        self.stand_in.fill(module)


def _follow(loader: Any, actions: Sequence[Callable[[ModuleType], None]]) -> None:
    """Let `actions` follow the execution of the module; the loader stays the module's own."""
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        for action in actions:
            action(module)
    loader.exec_module = exec_module


def import_quietly(name: str) -> str | None:
    """Import a module; the reason why it cannot be, or `None`."""
    try:
        importlib.import_module(name)
    except Exception as error:  # whatever a foreign module may raise is the finding
        return f'{type(error).__name__}: {" ".join(str(error).split())[:160]}'
    return None
