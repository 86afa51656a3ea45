"""Where a run's options come from: a flag of `run_training.py`, else an environment variable, else the recipe.

The stock toolkit has no such flags; there, and wherever it is handier, the variables do the same:

    CMD_DATA       folders of pairs, separated as in PATH     --data DIR (repeatable)
    CMD_INIT       checkpoint or weights to start from        --init PATH
    CMD_NET        dimp18 | dimp50                            --net
    CMD_EPOCHS     epochs                                     --epochs
    CMD_SAMPLES    samples an epoch                           --samples
    CMD_BATCH      pairs a batch                              --batch
    CMD_LR_SCALE   factor on all learning rates               --lr-scale
    CMD_WORKERS    loader processes                           --workers
    CMD_MIX        batch | spatial                            (variable only)
    CMD_TEACHER    frozen | shared                            (variable only)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cmd_plugin.errors import UserError

T = TypeVar('T')


def option(settings: Any, name: str, default: T, convert: Callable[[str], Any] = str) -> Any | T:
    """The option `name`.

    Args:
        settings: the training settings; an attribute that is not `None` comes first.
        default: when neither is given.
        convert: makes the value of the variable's text.

    Raises:
        UserError: the variable's text is not convertible.
    """
    value = getattr(settings, name, None)
    if value is not None:
        return value
    variable = f'CMD_{name.upper()}'
    text = os.environ.get(variable, '')
    if not text:
        return default
    try:
        return convert(text)
    except ValueError:
        raise UserError(f'{variable}={text!r} is not a valid value ({convert.__name__} expected)') from None


def data_folders(settings: Any) -> list[Path]:
    """Folders of training pairs.

    Raises:
        UserError: none was given.
    """
    folders = option(settings, 'data', None, lambda text: text.split(os.pathsep))
    if not folders:
        raise UserError('no training pairs: give --data DIR (repeatable) or set CMD_DATA; a folder with visible/ and '
                        'infrared/ twins at any depth')
    return [Path(folder) for folder in folders]
