"""Folders of generated worlds: made whole or not at all, and reused when they hold what is asked for."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ltr.admin.errors import UserError

VERSION = 1
"""Raise it when the same seed gives other pictures: folders of an older version are made again."""

MARK = 'world.json'
STALE_SECONDS = 3600

Progress = bool | Callable[[int, int], None]
"""True: a bar with the time left; False: silent; else a function of (done, total)."""


def _files(root: Path) -> int:
    return sum(1 for path in root.rglob('*') if path.is_file() and path.name != MARK)


def _finished(root: Path, arguments: dict[str, Any]) -> bool:
    """True when the folder holds exactly what was asked for.

    Raises:
        UserError: the folder holds something that this module did not write.
    """
    if not root.exists():
        return False
    if not root.is_dir():
        raise UserError(f'{root} is a file; give a folder for the generated world')
    mark = root / MARK
    if not mark.is_file():
        if any(root.iterdir()):
            raise UserError(
                f'{root} holds files that were not generated; give another folder for the generated world'
            )
        return False
    try:
        found = json.loads(mark.read_text(encoding='utf-8'))
    except ValueError:
        return False
    return (
        isinstance(found, dict)
        and found.get('version') == VERSION
        and found.get('arguments') == arguments
        and found.get('files') == _files(root)
    )


def _sweep(root: Path) -> None:
    """Remove what earlier, killed runs left beside the folder; a young one may belong to a run at work."""
    for old in root.parent.glob(f'.{root.name}.partial-*'):
        if time.time() - old.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _publish(partial: Path, root: Path, arguments: dict[str, Any]) -> None:
    """Give a complete folder its name; a run that was faster with the same world wins."""
    if root.exists() and not _finished(root, arguments):
        old = Path(tempfile.mkdtemp(prefix=f'.{root.name}.partial-', dir=root.parent))
        root.rename(old / root.name)  # first out of the way: a kill while removing leaves no half folder
        shutil.rmtree(old, ignore_errors=True)
    try:
        partial.rename(root)
    except OSError:
        if not _finished(root, arguments):
            raise


def fill_folder(
    root: Path | str,
    arguments: dict[str, Any],
    total: int,
    progress: Progress,
    make: Callable[[Path, int], dict[str, Any]],
) -> Path:
    """Write items into a temporary folder, then give it its name.

    Args:
        root: folder to make. Reused when it holds the same; made again when it was generated with other
            arguments or another version, or when files are missing.
        arguments: what the content depends on; JSON types only.
        total: number of items.
        progress: see `Progress`.
        make: writes item `index` below a folder and returns what `world.json` should say of it.

    Returns:
        The folder.

    Raises:
        UserError: the folder holds files that were not generated; they are left alone.
    """
    root = Path(root)
    if _finished(root, arguments):
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    _sweep(root)
    partial = Path(tempfile.mkdtemp(prefix=f'.{root.name}.partial-', dir=root.parent))
    items: dict[str, Any] = {}
    bar = tqdm(
        total=total, desc=f'world {root.name}', file=sys.stderr, disable=progress is not True, leave=False
    )
    try:
        for index in range(total):
            items.update(make(partial, index))
            bar.update()
            if callable(progress):
                progress(index + 1, total)
        mark = {'version': VERSION, 'arguments': arguments, 'files': _files(partial), 'items': items}
        (partial / MARK).write_text(json.dumps(mark, indent=1), encoding='utf-8')
        partial.chmod(0o755)  # temporary folders are private
        _publish(partial, root, arguments)
    finally:
        bar.close()
        shutil.rmtree(partial, ignore_errors=True)
    return root
