"""Where a run's options come from: a flag of `run_training.py`, else an environment variable, else the recipe.

The stock toolkit has no such flags; there, and wherever it is handier, the variables do the same:

    CMD_DATA       folders of pairs, separated as in PATH     --data DIR (repeatable)
    CMD_INIT       checkpoint or weights to start from        --init PATH
    CMD_NET        network of the parent, such as dimp18     --net
    CMD_EPOCHS     epochs                                     --epochs
    CMD_SAMPLES    samples an epoch                           --samples
    CMD_BATCH      pairs a batch                              --batch
    CMD_LR_SCALE   factor on all learning rates               --lr-scale
    CMD_LR         rates by component in place of the recipe's, such as tcl=2e-8,bbe=1e-7 (variable only)
    CMD_WORKERS    loader processes                           --workers
    CMD_SEED       seed of everything random                  --seed
    CMD_DEVICE     cpu, cuda, cuda:1, mps                     --device
    CMD_WORKSPACE  folder for checkpoints                     --workspace
    CMD_CACHE_MB   decoded pairs kept in the workspace, MB; 0 (default) keeps none (variable only)
    CMD_BACKBONE_PRECISION  float32 | bfloat16 | float16 (CUDA)  (variable only)
    CMD_MIX        batch | spatial                            (variable only)
    CMD_TEACHER    frozen | shared                            (variable only)
    CMD_BOX_FRACTION  side of the pseudo box over the shorter image side (variable only)
    CMD_BOXES      file or folder of boxes for recipes with pseudo boxes of a detector (variable only)
    CMD_LAMBDA     weight of BBE beside TCL (Eq. 1)           (variable only)
    CMD_MU         weight of the norm of the filter (Eq. 2)   (variable only)
    CMD_NU         weight of the norm of the modulation vectors (Eq. 3) (variable only)
    CMD_TCL_LOSS   hinge | squared                            (variable only)
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

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
        raise UserError(f'{variable}={text!r} is not valid; expected: {_expected(convert)}') from None


def apply_variables(settings: Any) -> None:
    """Put CMD_SEED, CMD_DEVICE and CMD_WORKSPACE into the settings that the trainer reads, where no flag was given."""
    texts = {name: os.environ.get(f'CMD_{name.upper()}', '') for name in ('seed', 'device', 'workspace')}
    given = getattr(settings, 'given', ())  # a seed of 0 and the device auto may be meant
    if texts['seed'] and 'seed' not in given and not getattr(settings, 'seed', None):
        try:
            settings.seed = not_negative(texts['seed'])
        except ValueError:
            raise UserError(f'CMD_SEED={texts["seed"]!r} is not valid; expected: {_expected(not_negative)}') from None
    if texts['device'] and 'device' not in given and getattr(settings, 'device', None) in (None, 'auto'):
        settings.device = texts['device']
    workspace = os.environ.get('PYTRACKING_WORKSPACE_DIR') or texts['workspace']
    if workspace and Path(settings.env.workspace_dir) != Path(workspace).expanduser():
        # As text: checkpoints of the stock toolkit hold these settings, and torch's check refuses paths.
        settings.env.workspace_dir = str(Path(workspace).expanduser())
        if not os.environ.get('PYTRACKING_TENSORBOARD_DIR'):
            settings.env.tensorboard_dir = str(Path(workspace).expanduser() / 'tensorboard')


def count(text: str) -> int:
    """A whole number of 1 or more. Raises `ValueError`."""
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def factor(text: str) -> float:
    """A finite number above 0. Raises `ValueError`."""
    if not 0 < float(text) < math.inf:
        raise ValueError(text)
    return float(text)


def weight(text: str) -> float:
    """A finite number of 0 or more. Raises `ValueError`."""
    if not 0 <= float(text) < math.inf:
        raise ValueError(text)
    return float(text)


def rates(text: str) -> dict[str, float]:
    """Rates by component, such as tcl=2e-8,bbe=1e-7. Raises `ValueError`."""
    pairs = [part.split('=') for part in text.split(',')]
    return {name.strip(): factor(value) for name, value in pairs}


def not_negative(text: str) -> int:
    """A whole number of 0 or more. Raises `ValueError`."""
    if int(text) < 0:
        raise ValueError(text)
    return int(text)


def precision(text: str) -> torch.dtype:
    """One of float32, bfloat16, float16. Raises `ValueError`."""
    if text not in ('float32', 'bfloat16', 'float16'):
        raise ValueError(text)
    return getattr(torch, text)


def data_folders(settings: Any) -> list[Path]:
    """Folders of training pairs.

    Raises:
        UserError: none was given.
    """
    folders = option(settings, 'data', None, lambda text: [part for part in text.split(os.pathsep) if part])
    if isinstance(folders, (str, Path)):
        folders = [folders]
    if not folders:
        raise UserError('no training pairs: give --data DIR (repeatable) or set CMD_DATA; a folder with visible/ and '
                        'infrared/ twins at any depth')
    return [Path(folder) for folder in folders]


def _expected(convert: Callable[[str], Any]) -> str:
    """First sentence of a converter's docstring."""
    text = (convert.__doc__ or convert.__name__).split('.')[0]
    return text[:1].lower() + text[1:]
