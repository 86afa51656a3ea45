"""Checkpoints of the method on disk: the parent's, its distilled descendants', and how to find them by name."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cmd_plugin.errors import UserError
from cmd_plugin.upstream import reading
from ltr import load_network


def workspace() -> Path:
    """The folder that checkpoints lie in: given by flag, else CMD_WORKSPACE, else the toolkit's own setting.

    Raises:
        UserError: a toolkit whose user has set none.
    """
    given = os.environ.get('PYTRACKING_WORKSPACE_DIR') or os.environ.get('CMD_WORKSPACE')
    if given:
        return Path(given).expanduser()
    try:
        from ltr.admin.local import EnvironmentSettings
        found = str(EnvironmentSettings().workspace_dir)
    except ModuleNotFoundError:
        found = ''
    except Exception as error:  # the file is the user's, and may raise anything
        raise UserError(f'ltr/admin/local.py of the toolkit: {type(error).__name__}: {error}; correct it') from error
    if not found:
        raise UserError('no workspace is set: set CMD_WORKSPACE, or workspace_dir in ltr/admin/local.py of the toolkit')
    return Path(found).expanduser()


def place_of(pairs: Path, folder: str, suffix: str) -> Path:
    """A file in a folder of the workspace, named after a folder of pairs or their list."""
    place = pairs.resolve()
    return workspace() / folder / f'{place.stem if place.is_file() else place.name}{suffix}'


def folder_of(recipe: str, tracker: str = 'cmd_dimp') -> Path:
    """Where the trainer keeps the checkpoints of a recipe."""
    return workspace() / 'checkpoints' / 'ltr' / tracker / recipe


def newest(recipe: str, tracker: str = 'cmd_dimp') -> Path | None:
    """The last checkpoint of a recipe, or `None`."""
    found = sorted(folder_of(recipe, tracker).glob('*_ep????.pth.tar'))
    return found[-1] if found else None


def load(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Network of a checkpoint and what else it holds. Raises `UserError` when there is none to be had."""
    if not path.is_file():
        raise UserError(f'no checkpoint {path}')
    if not reading.reads_safely():
        return reading.load(path)
    net, contents = load_network(checkpoint=str(path.resolve()))
    return net, contents


def save(path: Path, net: nn.Module, info: dict[str, Any]) -> None:
    """Write a checkpoint in the stock format that holds a network alone, atomically."""
    contents: dict[str, Any] = {
        'epoch': 1, 'actor_type': 'CrossModalActor', 'net_type': type(net).__name__, 'net': net.state_dict(),
        'net_info': info, 'constructor': getattr(net, 'constructor', None), 'optimizer': None, 'stats': {},
        'settings': None}
    temporary = path.with_name(f'.{path.name}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, 'wb') as file:
            torch.save(contents, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise UserError(f'cannot write {path}: {getattr(error, "strerror", None) or error}; make room or '
                        'choose another folder') from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def fingerprint(net: nn.Module) -> str:
    """SHA-256 of a network's weights."""
    digest = hashlib.sha256()
    for key, value in net.state_dict().items():
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def same_backbone(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two state dictionaries share the weights of the backbone, bit for bit."""
    keys = [key for key in first if key.startswith('feature_extractor.')]
    return set(first) == set(second) and all(torch.equal(first[key], second[key]) for key in keys)
