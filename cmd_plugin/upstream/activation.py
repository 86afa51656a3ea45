"""One process made ready: the toolkit comes from the checkout and from nowhere else, and knows the plugin.

Runs at the start of the interpreter, so only the standard library is imported here and nothing of the toolkit.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

from cmd_plugin.upstream.attached import VARIABLE
from cmd_plugin.upstream.finder import TOOLKIT, Finder

ROOT = Path(__file__).resolve().parents[2]
"""Folder of the package `cmd_plugin`, and of the toolkit that came with it."""
INSTALLED = ('site-packages', 'dist-packages')
"""Names of folders that hold everybody's packages: such a root stays on `sys.path`."""


def active() -> Path | None:
    """The checkout that this process uses, or `None`."""
    found = [finder.checkout for finder in sys.meta_path if isinstance(finder, Finder)]
    return found[0] if found else None


def activate(checkout: str | Path) -> None:
    """Use the toolkit of `checkout`, with the plugin, in this process and its children.

    The checkout comes first on `sys.path` and the plugin's own root leaves it. Moreover `ltr` and `pytracking` are
    looked for in the checkout alone, so neither an installed toolkit nor the current directory can win. Calling it
    again for the same checkout does nothing.

    Raises:
        ImportError: `ltr` or `pytracking` has been imported from elsewhere, or another checkout is in use.
    """
    folder = Path(checkout).resolve()
    if active() == folder:
        return
    if active() is not None:
        raise ImportError(f'this process uses the toolkit of {active()}: use {folder} in another one')
    for name in TOOLKIT:
        module = sys.modules.get(name)
        if module is not None and not comes_from(module, folder):
            raise ImportError(f'{name} has been imported from {origin(module)}, not from the checkout {folder}: choose '
                              'the checkout before the first import')
    os.environ[VARIABLE] = str(folder)
    dropped = {folder} if ROOT.name in INSTALLED else {folder, ROOT}
    sys.path[:] = [str(folder), *(entry for entry in sys.path if Path(entry).resolve() not in dropped)]
    finder = Finder(folder)
    sys.meta_path.insert(0, finder)
    finder.catch_up()


def comes_from(module: ModuleType, folder: Path) -> bool:
    """Whether a package lies directly in `folder`."""
    return any(Path(path).resolve().parent == folder for path in getattr(module, '__path__', ()))


def origin(module: ModuleType) -> str:
    """Where a package was imported from."""
    return str(next(iter(getattr(module, '__path__', ())), getattr(module, '__file__', 'an unknown place')))


def stray_toolkit() -> Path | None:
    """The toolkit that an import would find in a process that is not active, where it is not the plugin's own.

    That happens in the folder of a checkout: `python -m` puts the current directory first.
    """
    from importlib.util import find_spec
    spec = find_spec('ltr')
    places = list(spec.submodule_search_locations or ()) if spec else []
    if active() is not None or not places or not (ROOT / 'ltr').is_dir():
        return None
    folder = Path(places[0]).resolve().parent
    return None if folder == ROOT else folder
