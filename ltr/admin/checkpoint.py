"""Checkpoint files: written whole or not at all, and read without running what they contain."""

from __future__ import annotations

import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltr.admin.environment import environment_class
from ltr.admin.errors import UserError
from ltr.admin.model_constructor import NetConstructor
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter, StatValue
from ltr.admin.whole import replacing
from ltr.tensors import TensorDict

SUFFIX = '.pth.tar'


def save(path: str | Path, contents: dict[str, Any], verify: bool = False) -> Path:
    """Write `contents` to `path`, so that at any moment the file is the old one or the new one, whole.

    Args:
        path: file to write; its folder is made.
        contents: what `torch.save` takes; only plain data, tensors and the classes of `allowed()`.
        verify: read the new file back before it takes its place, so that contents which `read` would refuse
            are found now and not when they are needed.

    Raises:
        UserError: the file cannot be written (full disk, no permission). Nothing is left behind.
    """
    path = Path(path)
    with replacing(path) as temporary:
        with open(temporary, 'wb') as file:  # the writer for paths does not tell why it failed
            torch.save(contents, file)
        if verify:
            read(temporary)
    return path


def read(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, ours or the stock toolkit's, with torch's check for unsafe contents on.

    Raises:
        UserError: no such file, a truncated or corrupt one, or one that holds anything but tensors, plain
            data and the classes of `allowed()`.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'no checkpoint file {path}: give the path of one')
    classes = allowed()
    try:
        _check_sums(path)
        with torch.serialization.safe_globals(classes):
            contents = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a damaged file can make the unpickler fail in any way
        raise UserError(f'cannot read the checkpoint {path}: {_reason(error)}') from error
    if not isinstance(contents, dict):
        raise UserError(f'cannot read the checkpoint {path}: it holds a {type(contents).__name__}, '
                        'not a dictionary; expected one with the key "net"')
    return contents


def newest(folder: Path, net_type: str = '*', number: int | None = None) -> Path | None:
    """The last checkpoint `{net_type}_ep????.pth.tar` of `folder` in sorted order, or that of epoch `number`.

    Several network types in one folder are ordered by epoch first. None if there is none.
    """
    pattern = f'{net_type}_ep{"????" if number is None else f"{number:04d}"}{SUFFIX}'
    files = sorted(folder.glob(pattern), key=lambda file: (file.name[-len('0000' + SUFFIX):], file.name))
    return files[-1] if files else None


def allowed() -> list[Any]:
    """Classes and functions that a checkpoint may name besides torch's own.

    None of them does more than hold data when it is built. A constructor only *names* a function; see
    `NetConstructor.function` for what it may name.
    """
    # Both private to numpy: a number, an empty array. Their modules depend on its version.
    functions: list[Any] = [np.float64(0).__reduce__()[0], np.empty(0).__reduce__()[0]]
    types = {type(np.dtype(code)) for code in ('f4', 'f8', 'i4', 'i8', 'u1', 'u4', 'u8', '?')}
    return [NetConstructor, Settings, environment_class(), AverageMeter, StatValue, TensorDict, OrderedDict, set,
            np.ndarray, np.dtype, *types, *(_under(module, function) for function in functions
                                            for module in ('numpy.core.multiarray', 'numpy._core.multiarray'))]


def _under(module: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` under the path that files of one major version of numpy name it by."""
    def alias(*args: Any) -> Any:
        return function(*args)
    alias.__module__, alias.__name__, alias.__qualname__ = module, function.__name__, function.__name__
    return alias


def _check_sums(path: Path) -> None:
    """Hold the parts of a zip file against their checksums: torch does not, and would read turned bits as weights."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
        if bad is not None:
            raise ValueError(f'{bad} does not match its checksum')


def _reason(error: Exception) -> str:
    text = str(error)
    refused = re.search(r'GLOBAL (\S+)', text)
    if refused:
        return (f'refused, it names {refused.group(1)}, which no checkpoint needs; '
                'do not use the file unless you know where it comes from')
    text = text.partition('WeightsUnpickler error:')[2] or text or type(error).__name__
    return f'truncated or corrupt ({" ".join(text.split())[:160]}): copy or download it again'
