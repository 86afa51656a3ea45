"""Checkpoint files: written whole or not at all, and read without running what they contain."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltr.admin.errors import UserError
from ltr.admin.local import EnvironmentSettings
from ltr.admin.model_constructor import NetConstructor
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter, StatValue
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
    temporary = path.with_name(f'.{path.name}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, 'wb') as file:
            torch.save(contents, file)
            file.flush()
            os.fsync(file.fileno())
        if verify:
            read(temporary)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        cause = _os_error(error)
        if cause is None:
            raise
        raise UserError(f'cannot write the checkpoint {path}: {cause.strerror or cause}; '
                        'make room or choose another folder with --workspace') from error
    finally:
        if temporary.exists():
            temporary.unlink()
    return path


def read(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, ours or the stock toolkit's, with torch's check for unsafe contents on.

    Raises:
        UserError: no such file, a truncated or corrupt one, or one that holds anything but tensors, plain
            data and the classes of `allowed()`.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'no checkpoint file {path}')
    try:
        with torch.serialization.safe_globals(allowed()):
            contents = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a damaged file can make the unpickler fail in any way
        raise UserError(f'cannot read the checkpoint {path}: {_reason(error)}') from error
    if not isinstance(contents, dict):
        raise UserError(f'cannot read the checkpoint {path}: it holds a {type(contents).__name__}, '
                        'not a dictionary')
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
    scalar = np.float64(0).__reduce__()[0]  # private, its module depends on the version of numpy
    types = {type(np.dtype(code)) for code in ('f4', 'f8', 'i4', 'i8', 'u1', 'u4', 'u8', '?')}
    names: list[Any] = [NetConstructor, Settings, EnvironmentSettings, AverageMeter, StatValue, TensorDict,
                        OrderedDict, np.dtype, *types, scalar]
    if tuple(int(part) for part in re.findall(r'\d+', torch.__version__)[:2]) >= (2, 6):
        # Files written under the other major version of numpy name this function by its other path.
        names += [(scalar, f'numpy.{core}.multiarray.scalar') for core in ('core', '_core')]
    return names


def _reason(error: Exception) -> str:
    text = str(error)
    refused = re.search(r'GLOBAL (\S+)', text)
    if refused:
        return (f'refused, it names {refused.group(1)}, which no checkpoint needs; '
                'do not use the file unless you know where it comes from')
    text = text.partition('WeightsUnpickler error:')[2] or text or type(error).__name__
    return f'truncated or corrupt ({text.strip().splitlines()[0][:160]})'


def _os_error(error: BaseException) -> OSError | None:
    """The failure of the operating system behind `error`: torch's writer wraps it in a RuntimeError."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError):
            return seen
        seen = seen.__cause__ or seen.__context__
    if 'PytorchStreamWriter' in str(error):
        return OSError(str(error).splitlines()[0])
    return None
