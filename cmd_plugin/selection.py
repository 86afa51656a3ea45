"""Which distilled network a tracking run takes, and that it is a distilled one."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmd_plugin import checkpoints, networks
from cmd_plugin.errors import UserError
from cmd_plugin.families import FAMILIES
from cmd_plugin.lineage import command
from cmd_plugin.recipes import distilled, recipe_of
from cmd_plugin.upstream.devices import gpu_to_use
from pytracking.features.net_wrappers import NetWithBackbone

VARIABLE = 'CMD_NETWORK'


def parameters_of(module: str) -> Callable[[], Any]:
    """`parameters()` of a parameter module by its dotted name, which ends in TRACKER.NAME.

    NAME `default` takes the newest distilled network, or the file named by CMD_NETWORK; the name of a row of Table 1
    takes the newest network of that row, the parent `a1` included.
    """
    tracker, name = module.split('.')[-2:]

    def parameters() -> Any:
        """Stock parameters with the network that this module stands for."""
        path, crop_size = distilled_network(tracker) if name == 'default' else row_network(tracker, name)
        params = FAMILIES[tracker].parameters(crop_size)
        params.use_gpu = gpu_to_use(params.use_gpu)
        params.net = NetWithBackbone(net_path=str(path), use_gpu=params.use_gpu)
        return params
    return parameters


def distilled_network(tracker: str = 'cmd_dimp') -> tuple[Path, int]:
    """The network to track with, and the side of its crops (px); says once which one it is.

    It is the file named by the variable CMD_NETWORK, else the newest checkpoint of any recipe that learns from TIR.

    Raises:
        UserError: there is none, it is another tracker's, or a parent: evaluating that by mistake would look like a
            result.
    """
    named = os.environ.get(VARIABLE, '')
    path = Path(named) if named else _newest(tracker)
    return _checked(path.resolve(), _modified(path), tracker)


def row_network(tracker: str, row: str) -> tuple[Path, int]:
    """The newest network of a row of Table 1, as `distilled_network`; here the parent is asked for by its name.

    Raises:
        UserError: there is none, or its file is of another row.
    """
    path = checkpoints.newest(recipe_of(tracker, row).name, tracker)
    if path is None:
        raise UserError(f'no network of {row} below {checkpoints.folder_of(row, tracker)}: run {command(row, tracker)}')
    return _checked(path.resolve(), _modified(path), tracker, row)


def _newest(tracker: str) -> Path:
    found = [path for name in distilled(tracker) if (path := checkpoints.newest(name, tracker)) is not None]
    if not found:
        best = distilled(tracker)[-1] if 'd3' not in distilled(tracker) else 'd3'
        raise UserError(f'no distilled network below {checkpoints.folder_of(best, tracker).parent}: train one '
                        f'({command(best, tracker)}) or name one with {VARIABLE}; for the parent itself use the '
                        f'tracker {FAMILIES[tracker].parent}')
    return max(found, key=lambda path: path.stat().st_mtime)


def _modified(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


@functools.lru_cache(maxsize=16)
def _checked(path: Path, modified: float, tracker: str, row: str | None = None) -> tuple[Path, int]:
    _, contents = checkpoints.load(path)
    networks.check_kind(path, contents, tracker)
    info = contents.get('net_info') or {}
    recipe = info.get('recipe')
    if row is not None and recipe != row:
        raise UserError(f'{path} is a network of {recipe!r}, not of {row}')
    if row is None and recipe in (None, 'a1'):
        what = 'the parent (a1)' if recipe else 'not a network that this plugin has distilled'
        raise UserError(f'{path} is {what}: name a distilled one with {VARIABLE}, or use the tracker '
                        f'{FAMILIES[tracker].parent}')
    print(f'network: {path} (recipe {recipe}, epoch {contents.get("epoch")})', file=sys.stderr)
    return path, int(info.get('crop_size', 288))
