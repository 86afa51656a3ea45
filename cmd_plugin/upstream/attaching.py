"""`attach` and `detach`: the stock command lines themselves know the plugin, in one Python environment.

Two files in site-packages do it: `cmd_plugin_attach.pth`, which Python reads at every start and which lists the
checkouts, and `cmd_plugin_attach.py`, a copy of `attached.py`. In the checkouts nothing is written.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

from cmd_plugin.errors import UserError
from cmd_plugin.upstream import attached
from cmd_plugin.upstream.activation import ROOT
from cmd_plugin.upstream.checkout import checked, writes_bytecode_unseen

MODULE = 'cmd_plugin_attach'


def folder() -> Path:
    """site-packages of the Python in use."""
    return Path(sysconfig.get_path('purelib'))


def files() -> tuple[Path, Path]:
    """The `.pth` file and the module beside it."""
    return folder() / f'{MODULE}.pth', folder() / f'{MODULE}.py'


def checkouts() -> dict[str, bool]:
    """What is attached to the Python in use, and whether Python may keep its bytecode there.

    Raises:
        UserError: the `.pth` file has been changed by somebody else.
    """
    start = files()[0]
    if not start.is_file():
        return {}
    try:
        call = ast.parse(start.read_text(encoding='ascii')).body[1]
        found = dict(ast.literal_eval(call.value.args[1]))  # type: ignore[attr-defined]
    except (ValueError, TypeError, SyntaxError, IndexError, AttributeError):
        raise UserError(f'{start} is not as it was written: remove it and attach again') from None
    return found


def attach(checkout: Path) -> None:
    """Attach a checkout to the Python in use, and say what was written.

    Raises:
        UserError: not a checkout, or site-packages cannot be written.
    """
    path = str(checked(checkout))
    written = _write({**checkouts(), path: writes_bytecode_unseen(Path(path))})
    print(f'attached: {path}, for {sys.executable}')
    print(f'written: {" and ".join(map(str, written))}; nothing in the checkout')
    print(f'undo: python -m cmd_plugin detach {path}')


def detach(checkout: Path) -> None:
    """Detach a checkout; with the last one both files go.

    Raises:
        UserError: it is not attached, or site-packages cannot be written.
    """
    path, known = str(Path(checkout).expanduser().resolve()), checkouts()
    if path not in known:
        raise UserError(f'{path} is not attached to {sys.executable}; attached: {", ".join(known) or "nothing"}')
    left = {other: bytecode for other, bytecode in known.items() if other != path}
    changed = _write(left) if left else _remove()
    print(f'detached: {path}, from {sys.executable}')
    print(f'{"changed" if left else "removed"}: {" and ".join(map(str, changed))}')


def _write(paths: dict[str, bool]) -> list[Path]:
    start, module = files()
    line = f'import {MODULE}; {MODULE}.look({str(ROOT)!a}, {paths!a})\n'
    try:
        # The module first: a `.pth` file that names a missing one complains at every start of Python.
        module.write_text(Path(attached.__file__).read_text(encoding='utf-8'), encoding='utf-8')
        start.write_text(line, encoding='ascii')
    except OSError as error:
        raise UserError(f'cannot write {error.filename}: {error.strerror}; use a virtual environment') from error
    return [start, module]


def _remove() -> list[Path]:
    start, module = files()
    bytecode = sorted(module.parent.glob(f'__pycache__/{MODULE}.*.pyc'))
    removed = [path for path in (start, module, *bytecode) if path.is_file()]
    try:
        for path in removed:
            path.unlink()
    except OSError as error:
        raise UserError(f'cannot remove {error.filename}: {error.strerror}') from error
    return removed
