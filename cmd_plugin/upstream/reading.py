"""Checkpoints on a toolkit that reads them without looking: first what is in the file, then the network.

The stock reader calls whatever function a checkpoint names. Here a file may hold tensors, plain data and the toolkit's
own record classes, and may name the constructors of the networks that the plugin knows, and nothing else.
"""

from __future__ import annotations

import collections
import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cmd_plugin.errors import UserError
from cmd_plugin.upstream.presence import has

RECORDS = {'ltr.admin.model_constructor': ('NetConstructor',), 'ltr.admin.settings': ('Settings',),
           'ltr.admin.local': ('EnvironmentSettings',), 'ltr.admin.stats': ('AverageMeter', 'StatValue')}
"""Classes of the toolkit that its checkpoints hold; they do no more than hold data."""
LEGACY_PREFIX = 'dlframework.'


def reads_safely() -> bool:
    """Whether the toolkit's own reader refuses what no checkpoint needs: one with a door for networks does."""
    return has('ltr.admin.plugins')


def allowed() -> list[Any]:
    """Classes and functions that a checkpoint may name besides torch's own."""
    scalar = np.float64(0).__reduce__()[0]
    found: list[Any] = [collections.OrderedDict, np.dtype, scalar,
                        *{type(np.dtype(code)) for code in ('f4', 'f8', 'i4', 'i8', 'u1', '?')}]
    if tuple(int(part) for part in re.findall(r'\d+', torch.__version__)[:2]) >= (2, 6):
        # Files written under the other major version of numpy name this function by its other path.
        found += [(scalar, f'numpy.{core}.multiarray.scalar') for core in ('core', '_core')]
    for module, names in RECORDS.items():
        if has(module):
            found += [getattr(importlib.import_module(module), name) for name in names]
    # Only where it is imported already: it brings the whole tracking side along.
    tensor_dict = getattr(sys.modules.get('pytracking'), 'TensorDict', None)
    return found if tensor_dict is None else [*found, tensor_dict]


def load(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Network of a checkpoint, and all that the file holds.

    Raises:
        UserError: damaged, holds or names what no checkpoint needs, or weights of another network.
    """
    contents = read(path)
    constructor, state = contents.get('constructor'), contents.get('net')
    if constructor is None or state is None:
        raise UserError(f'{path} does not say how to build its network (no constructor, or no weights)')
    net = _build(path, constructor)
    own = net.state_dict()
    wrong = [key for key in own.keys() | state.keys() if not key.endswith('num_batches_tracked')
             and (key not in own or key not in state or own[key].shape != state[key].shape)]
    if wrong:
        raise UserError(f'{path} is of another network than {constructor.fun_name}: {len(wrong)} tensors differ, '
                        f'first {min(wrong)}')
    net.load_state_dict(state, strict=False)
    object.__setattr__(net, 'constructor', constructor)
    return net, contents


def read(path: Path) -> dict[str, Any]:
    """Contents of a checkpoint, on the CPU, read with torch's check for unsafe contents on. Raises `UserError`."""
    try:
        with torch.serialization.safe_globals(allowed()):
            contents = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a damaged file can make the unpickler fail in any way
        refused = re.search(r'GLOBAL (\S+)', str(error))
        reason = (f'refused, it names {refused.group(1)}, which no checkpoint needs' if refused
                  else f'truncated or corrupt ({type(error).__name__})')
        raise UserError(f'cannot read the checkpoint {path}: {reason}') from error
    if not isinstance(contents, dict):
        raise UserError(f'cannot read the checkpoint {path}: it holds a {type(contents).__name__}, not a dictionary')
    return contents


def _build(path: Path, constructor: Any) -> nn.Module:
    from cmd_plugin.families import FAMILIES
    known = {(network.module, network.function) for family in FAMILIES.values() for network in family.networks.values()}
    named = str(constructor.fun_module).removeprefix(LEGACY_PREFIX), str(constructor.fun_name)
    if named not in known:
        raise UserError(f'{path}: refused to build a network with {".".join(named)}: known are '
                        f'{", ".join(sorted(name for _, name in known))}')
    function = getattr(importlib.import_module(named[0]), named[1], None) if has(named[0]) else None
    if function is None:
        raise UserError(f'{path} holds a {named[1]}, which the toolkit in use does not have ({named[0]})')
    arguments = dict(constructor.kwds)
    if 'backbone_pretrained' in inspect.signature(function).parameters:
        arguments['backbone_pretrained'] = False
    try:
        return function(*constructor.args, **arguments)
    except TypeError as error:
        raise UserError(f'{path}: the recorded arguments do not fit {named[1]}: {error}') from error
