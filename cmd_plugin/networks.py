"""The networks that a tracker may be: made anew, read as a parent, and what crops they are made for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from cmd_plugin import checkpoints
from cmd_plugin.errors import UserError
from cmd_plugin.families import FAMILIES, Family, Network, broken


def description(net: nn.Module, tracker: str = '') -> Network:
    """What is known of a network's kind, as one of `tracker`'s or of any; of a stranger, what is usual."""
    constructor = getattr(net, 'constructor', None)
    families = [FAMILIES[tracker]] if tracker else _families()
    return next((known for family in families for known in family.networks.values() if known.made_by(constructor)),
                Network('', ''))


def crop_size(net: nn.Module, tracker: str = '') -> int:
    """Side of the crops that a network is made for, px; as one of `tracker`'s, or of any."""
    return description(net, tracker).crop_size


def load_parent(path: Path, net_name: str | None, tracker: str = 'cmd_dimp') -> nn.Module:
    """The network to start from.

    Args:
        path: a checkpoint, which knows its own network, or `.safetensors` of a ResNet backbone with torchvision's
            names and no `.json` beside it, which goes into a new network `net_name` (the heads are random: for trying
            things out).
        net_name: one of the family's networks; its first when `None`.
        tracker: the family.

    Raises:
        UserError: no such file, or weights of another network.
    """
    family = FAMILIES[tracker]
    if not path.is_file():
        raise UserError(f'--init: no file {path}')
    if net_name is not None:
        _check(net_name, family)
    if path.suffix == '.safetensors' and not path.with_suffix('.json').is_file():
        net = new_network(net_name or next(iter(family.networks)), tracker)
        _load_backbone(net, path)
        print(f'{path} holds a backbone only: the heads start from random weights')
        return net
    net, contents = checkpoints.load(path)
    check_kind(path, contents, tracker)
    constructor = contents['constructor']
    if net_name is not None and not family.networks[net_name].made_by(constructor):
        raise UserError(f'{path} holds a {constructor.fun_name}, not the network --net {net_name}: leave --net out or '
                        'take its file')
    return net


def family_of(path: Path, contents: dict[str, Any]) -> str:
    """Name of the family that a checkpoint's network belongs to. Raises `UserError` where there is none."""
    constructor = contents.get('constructor')
    for family in _families():
        if any(known.made_by(constructor) for known in family.networks.values()):
            return family.name
    raise UserError(f'{path} holds a {_told(constructor)}, which is a network of none of {", ".join(FAMILIES)}')


def check_kind(path: Path, contents: dict[str, Any], tracker: str) -> None:
    """Raise `UserError` unless a checkpoint's network is one of the family's."""
    family = FAMILIES[tracker]
    constructor = contents.get('constructor')
    if not any(known.made_by(constructor) for known in family.networks.values()):
        raise UserError(f'{path} holds a {_told(constructor)}, which is no network of {tracker}: it takes '
                        f'{", ".join(family.networks)}')


def new_network(name: str, tracker: str = 'cmd_dimp') -> nn.Module:
    """A network with the stock arguments and random weights. Raises `UserError` for an unknown name."""
    _check(name, FAMILIES[tracker])
    network = FAMILIES[tracker].networks[name]
    return getattr(importlib.import_module(network.module), network.function)(**network.arguments)


def _families() -> Iterator[Family]:
    """Those that can be used, one by one: a broken package harms only what asks for it."""
    return (FAMILIES[name] for name in FAMILIES if broken(name) is None)


def _told(constructor: Any) -> str:
    """A constructor by its name, and by the argument that tells it from others of that name."""
    name = getattr(constructor, 'fun_name', None)
    said = {known.told_by: constructor.kwds[known.told_by] for family in _families()
            for known in family.networks.values() if known.function == name and constructor.kwds.get(known.told_by)}
    return str(name) + ''.join(f' with {key} {value:.3g}' for key, value in said.items())


def _check(name: str, family: Family) -> None:
    if name not in family.networks:
        raise UserError(f'unknown network {name!r} of {family.name}: known: {", ".join(family.networks)}')


def _load_backbone(net: Any, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f'cannot read the weights {path}: {error}') from error
    own = net.feature_extractor.state_dict()
    wrong = [key for key in state if key not in own or own[key].shape != state[key].shape]
    wrong += [key for key in own if key not in state and not key.startswith(('layer4.', 'fc.'))
              and not key.endswith('num_batches_tracked')]
    if wrong:
        raise UserError(f'{path} is of another backbone: {len(wrong)} tensors differ, first {wrong[0]}')
    net.feature_extractor.load_state_dict(state, strict=False)
