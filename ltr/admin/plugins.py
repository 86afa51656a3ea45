"""The one door through which settings, trackers, parameters, data sets and networks are found.

Providers are plain Python entry points in the groups of `GROUPS`; work that is not installed is named in the
environment variable `PYTRACKING_PLUGINS=name=module[,name=module]`, where `module.entry_points` is a dictionary
`{group: {name: 'module:attribute'}}`. Nothing is imported before it is asked for, so a broken neighbour harms only
those who use it.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ltr.admin.errors import UserError

GROUPS = {
    'pytracking.train_settings': 'train settings module',
    'pytracking.trackers': 'tracker',
    'pytracking.parameters': 'tracker parameters',
    'pytracking.datasets': 'data set',
    'pytracking.published': 'published figures of the data set',
    'pytracking.networks': 'network',
    'pytracking.cmd_families': 'distilled tracker',
    'pytracking.checkouts': 'way to use a stock checkout',
}
CORE = ('ltr', 'pytracking')
VARIABLE = 'PYTRACKING_PLUGINS'


def load(group: str, name: str) -> Any:
    """Import and return what `name` stands for in `group`.

    Raises:
        UserError: unknown name (near names and the list are given), or two providers of one name.
        ImportError: comes through as it is when the provider's own import fails.
    """
    return find(group, name).load()


def find(group: str, name: str, core: tuple[str, ...] = CORE) -> EntryPoint:
    """The entry point of `name` in `group`, not yet imported. Raises as `load`.

    Args:
        group, name: what is looked for.
        core: packages whose names cannot be overridden.
    """
    providers = [(entry, owner) for entry, owner in _providers(group) if entry.name == name]
    if not providers:
        raise UserError(unknown(GROUPS[group], name, names(group)))
    ours = [entry for entry, _ in providers if entry.value.split('.')[0].split(':')[0] in core]
    targets = {entry.value for entry, _ in providers}
    if ours and len(targets) > 1:
        others = ', '.join(sorted({owner for entry, owner in providers if entry.value != ours[0].value}))
        print(f'warning: {others} also provides the {GROUPS[group]} {name!r}; a core name cannot be overridden',
              file=sys.stderr)
        return ours[0]
    if len(targets) > 1:
        owners = ' and '.join(sorted({owner for _, owner in providers}))
        raise UserError(f'{GROUPS[group]} {name!r} is provided by {owners}: uninstall or rename one of them')
    return providers[0][0]


def names(group: str) -> list[str]:
    """Sorted names that `group` offers."""
    return sorted({entry.name for entry, _ in _providers(group)})


def unknown(kind: str, name: str, known: list[str]) -> str:
    """One line for a name that does not exist: the nearest names first, then all of them."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f'did you mean {" or ".join(map(repr, near))}? ' if near else ''
    listed = ', '.join(known) if known else 'none; is the package installed?'
    return f'unknown {kind} {name!r}: {hint}known: {listed}'


def _providers(group: str) -> list[tuple[EntryPoint, str]]:
    if group not in GROUPS:
        raise ValueError(f'no plugin group {group!r}')
    installed = [(entry, entry.dist.name if entry.dist else 'an unnamed distribution')
                 for entry in entry_points(group=group)]
    return installed + _named_in_environment(group)


def _named_in_environment(group: str) -> list[tuple[EntryPoint, str]]:
    found = []
    for item in filter(None, (part.strip() for part in os.environ.get(VARIABLE, '').split(','))):
        label, equals, module = item.partition('=')
        if not (label and equals and module):
            raise UserError(f'{VARIABLE}: {item!r} is not of the form name=module')
        try:
            offered = getattr(importlib.import_module(module), 'entry_points', None)
        except ModuleNotFoundError as error:
            if not f'{module}.'.startswith(f'{error.name}.'):
                raise  # the module is there, something that it imports is not
            raise UserError(f'{VARIABLE}: no module {module!r}; is its folder in PYTHONPATH?') from None
        if not isinstance(offered, dict):
            raise UserError(f'{VARIABLE}: module {module!r} has no dictionary entry_points')
        foreign = sorted(set(offered) - set(GROUPS))
        if foreign:
            raise UserError(f'{VARIABLE}: {module}.entry_points: {unknown("group", str(foreign[0]), list(GROUPS))}')
        found += [(EntryPoint(name, value, group), label) for name, value in offered.get(group, {}).items()]
    return found
