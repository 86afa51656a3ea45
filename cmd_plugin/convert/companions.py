"""A network from two files: the heads of one, constructor and backbone of the other.

The checkpoint that the method's authors released, `cmd35.pth.tar`, gives the classifier and the box regressor of a
SuperDiMP; its backbone is that of `super_dimp.pth.tar`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from cmd_plugin import checkpoints
from cmd_plugin.errors import UserError
from ltr.admin.loading import strict_load
from ltr.admin.model_constructor import NetConstructor

BACKBONE = 'feature_extractor.'


def join(heads: Mapping[str, Any], path: Path, whole: Mapping[str, Any], companion: Path) -> dict[str, Any]:
    """The network of `whole` with the heads of `heads`.

    Args:
        heads: contents of a checkpoint, or a bare state dictionary; has every tensor of the heads. A backbone in it
            is not read.
        path, companion: where the two come from, for messages.
        whole: contents of a checkpoint of the whole network.

    Returns:
        Contents of a checkpoint; epoch, settings and record are those of `heads`, where it has them.

    Raises:
        UserError: `whole` is not whole, or the heads are of another network.
    """
    constructor = whole.get('constructor')
    if not isinstance(constructor, NetConstructor) or not isinstance(whole.get('net'), Mapping):
        raise UserError(f'--companion {companion} is no checkpoint of a whole network')
    try:
        net = constructor.get()
    except UserError as error:
        raise UserError(f'{companion}: {error}') from error
    strict_load(net, whole['net'], companion)
    state = heads.get('net', heads)
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f'{path} holds no weights')
    given = {key: value for key, value in state.items() if not key.startswith(BACKBONE)}
    kept = {key: value for key, value in whole['net'].items() if key.startswith(BACKBONE)}
    if not given or not kept:
        raise UserError(f'{path} has no heads to join with a backbone' if kept else f'{companion} has no backbone')
    strict_load(net, {**kept, **given}, path)
    info = heads.get('net_info') if 'net' in heads else None
    backbone: Any = net.feature_extractor
    record = {**(info if isinstance(info, Mapping) else {}),
              'backbone': {'file': companion.name, 'sha256': checkpoints.fingerprint(backbone)}}
    own = heads if 'net' in heads else {}
    return {'epoch': own.get('epoch') or 1, 'actor_type': own.get('actor_type'), 'net_type': type(net).__name__,
            'net': OrderedDict((key, {**kept, **given}[key]) for key in whole['net']), 'net_info': record,
            'constructor': constructor, 'optimizer': None, 'stats': {}, 'settings': own.get('settings')}
