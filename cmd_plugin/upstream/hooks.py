"""What makes the stock toolkit know the plugin: by name of a module, what is added to it, done to it, or put in place.

The stock toolkit finds everything by the name of a module or by a dictionary (`ltr.train_settings.MODULE.NAME`,
`pytracking.parameter.NAME.PARAM`, `pytracking.tracker.NAME`, `dataset_dict`), so it is enough to answer for these.
A name that the checkout has of its own always stays the checkout's. Imported at the start of the interpreter: standard
library only.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from cmd_plugin.upstream import mends
from cmd_plugin.upstream.stopping import stops

PLUGIN = Path(__file__).resolve().parents[1]
FOLDERS = {'ltr.train_settings': PLUGIN / 'train_settings', 'pytracking.parameter': PLUGIN / 'parameter'}
"""Packages of the toolkit in which modules of the plugin are found, too."""
DATASETS = ('lsotb_tir', 'ptb_tir')
Action = Callable[[ModuleType], None]


@dataclass(frozen=True)
class StandIn:
    """A module without a file.

    Attributes:
        fill: puts the contents into the empty module.
        always: also where the checkout has a module of that name.
        package: whether it has modules of its own.
    """

    fill: Action
    always: bool = False
    package: bool = False


@functools.cache
def trackers() -> tuple[str, ...]:
    """Names of the plugin's trackers, which are those of its packages of parameters."""
    return tuple(sorted(path.name for path in FOLDERS['pytracking.parameter'].glob('cmd_*') if path.is_dir()))


def at_once() -> None:
    """What must be done before anything is imported."""
    mends.look_at('')


def folder_of(name: str) -> str | None:
    """Folder in which modules of the package `name` are looked for besides its own."""
    return str(FOLDERS[name]) if name in FOLDERS else None


def stand_in(name: str) -> StandIn | None:
    """The module that the plugin offers as `name`, if it does."""
    package, _, last = name.rpartition('.')
    if package == 'pytracking.tracker' and last in trackers():
        return StandIn(functools.partial(_fill_tracker, last), package=True)
    fill = mends.shim(name)
    return None if fill is None else StandIn(fill, always=name != mends.EXTERNAL, package=True)


def concerns(name: str) -> bool:
    """Whether the import of `name` is of interest; it is asked for every module, so it costs little."""
    return name in FOLDERS or bool(after(name))


def after(name: str) -> list[Action]:
    """What follows the import of `name`."""
    actions: list[Action] = [_mend] if name in mends.MODULES else []
    if name in AFTER:
        actions.append(AFTER[name])
    parts = name.split('.')
    if len(parts) == 4 and parts[:2] == ['ltr', 'train_settings'] and parts[2].startswith('cmd_'):
        actions.append(_ends_plainly)
    return actions


def _mend(module: ModuleType) -> None:
    mends.look_at(module.__name__)


def _fill_tracker(name: str, module: ModuleType) -> None:
    """`pytracking.tracker.NAME`."""
    def get_tracker_class() -> type[Any]:
        from cmd_plugin.families import FAMILIES
        return FAMILIES[name].tracker()
    module.get_tracker_class = get_tracker_class  # type: ignore[attr-defined]


def _ends_plainly(module: ModuleType) -> None:
    """A settings module of the plugin: seeded as in our own toolkit, and a user's mistake ends it with one line."""
    if PLUGIN not in Path(str(module.__file__)).parents:
        return
    run = module.run

    def seeded(settings: Any) -> None:
        from cmd_plugin.upstream.seeding import seed_at_start
        seed_at_start()
        run(settings)
    module.run = stops(seeded)  # type: ignore[attr-defined]


def _public(module: ModuleType, name: str) -> Any:
    """What a module of the toolkit has under a public name; a warning, and `None`, where it has nothing."""
    found = getattr(module, name, None)
    if found is None:
        print(f'warning: {module.__name__} has no {name}: is {module.__file__} of the toolkit? The plugin is not known '
              'there', file=sys.stderr)
    return found


def _knows_trackers(module: ModuleType) -> None:
    """`Tracker(name, ...)` looks for a folder of the tracker's name, which the plugin's trackers do not have there."""
    tracker: Any = _public(module, 'Tracker')
    if tracker is None:
        return
    original = tracker.__init__
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(str(module.__file__)))), 'tracker')

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        name = kwargs.get('name', args[0] if args else '')
        with _taken_for_folder(os.path.join(folder, name) if name in trackers() else None):
            original(self, *args, **kwargs)
    tracker.__init__ = init


@contextmanager
def _taken_for_folder(wanted: str | None) -> Iterator[None]:
    """For a while, `os.path.isdir` says yes to `wanted`, too."""
    real = os.path.isdir

    def isdir(path: Any) -> bool:
        return real(path) or (isinstance(path, (str, os.PathLike)) and _same(os.fspath(path), str(wanted)))
    if wanted is not None:
        os.path.isdir = isdir  # type: ignore[assignment]
    try:
        yield
    finally:
        os.path.isdir = real


def _same(path: str, wanted: str) -> bool:
    """Whether two paths are the same, of which the last part need not exist."""
    whole = os.path.normpath(os.path.abspath(path))
    resolved = os.path.join(os.path.realpath(os.path.dirname(whole)), os.path.basename(whole))
    return os.path.normcase(resolved) == os.path.normcase(wanted)


def _knows_datasets(module: ModuleType) -> None:
    known, info = _public(module, 'dataset_dict'), _public(module, 'DatasetInfo')
    if known is None or info is None:
        return
    for name in DATASETS:
        if name not in known:
            known[name] = info('cmd_plugin.upstream.sequences', name, {})


def _checks_first(module: ModuleType) -> None:
    """The stock toolkit swallows what goes wrong in a sequence: a missing network must stop a run before it begins."""
    run_dataset = _public(module, 'run_dataset')
    if run_dataset is None:
        return

    @functools.wraps(run_dataset)
    def checked(dataset: Any, trackers_: Any, *args: Any, **kwargs: Any) -> Any:
        for tracker in trackers_:
            if getattr(tracker, 'name', None) in trackers():
                stops(_try_parameters)(tracker.name, tracker.parameter_name)
        return run_dataset(dataset, trackers_, *args, **kwargs)
    module.run_dataset = checked  # type: ignore[attr-defined]


def _try_parameters(tracker: str, name: str) -> None:
    from cmd_plugin.upstream.checkout import known_name
    known_name(f'parameters of {tracker}', name, FOLDERS['pytracking.parameter'] / tracker)
    importlib.import_module(f'pytracking.parameter.{tracker}.{name}').parameters()


AFTER: dict[str, Action] = {
    'pytracking.evaluation.tracker': _knows_trackers,
    'pytracking.evaluation.datasets': _knows_datasets,
    'pytracking.evaluation.running': _checks_first,
}
"""By module of the toolkit."""
