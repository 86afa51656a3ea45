"""Which distilled network a tracking run takes, and that it is a distilled one."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

from cmd_plugin import checkpoints
from cmd_plugin.errors import UserError
from cmd_plugin.lineage import command
from cmd_plugin.recipes import DISTILLED

VARIABLE = 'CMD_NETWORK'


def distilled_network() -> tuple[Path, int]:
    """The network to track with, and the side of its crops (px); says once which one it is.

    It is the file named by the variable CMD_NETWORK, else the newest checkpoint of any recipe that learns from TIR.

    Raises:
        UserError: there is none, or it is a parent: evaluating that by mistake would look like a result.
    """
    named = os.environ.get(VARIABLE, '')
    path = Path(named) if named else _newest()
    return _checked(path.resolve(), path.stat().st_mtime if path.is_file() else 0.0)


def _newest() -> Path:
    found = [path for name in DISTILLED if (path := checkpoints.newest(name)) is not None]
    if not found:
        raise UserError(f'no distilled network below {checkpoints.folder_of("d3").parent}: train one ({command("d3")})'
                        f' or name one with {VARIABLE}; for the parent itself use the tracker dimp')
    return max(found, key=lambda path: path.stat().st_mtime)


@functools.lru_cache(maxsize=4)
def _checked(path: Path, modified: float) -> tuple[Path, int]:
    _, contents = checkpoints.load(path)
    info = contents.get('net_info') or {}
    recipe = info.get('recipe')
    if recipe is None or recipe == 'a1':
        what = 'the parent (a1)' if recipe else 'not a network that this plugin has distilled'
        raise UserError(f'{path} is {what}: name a distilled one with {VARIABLE}, or use the tracker dimp')
    print(f'network: {path} (recipe {recipe}, epoch {contents.get("epoch")})', file=sys.stderr)
    return path, int(info.get('crop_size', 288))
