"""A network as the difference to its parent: only the tensors that learned, and the hash of the rest's origin."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cmd_plugin import checkpoints
from cmd_plugin.errors import UserError


def take(contents: dict[str, Any], path: Path, parent_path: Path) -> dict[str, Any]:
    """A checkpoint without those tensors that are its parent's, bit for bit.

    Returns:
        Contents whose `difference_to` names the parent: its file and the SHA-256 of its weights.

    Raises:
        UserError: the two are not the same kind of network.
    """
    base, digest = _parent(parent_path)
    state = contents['net']
    if set(state) != set(base) or any(state[key].shape != base[key].shape for key in state):
        raise UserError(f'{path} is another network than {parent_path}: there is no difference to be had')
    changed = OrderedDict((key, value) for key, value in state.items() if not same_bits(value, base[key]))
    return {**contents, 'net': changed, 'difference_to': {'file': parent_path.name, 'sha256': digest}}


def apply(contents: dict[str, Any], path: Path, parent_path: Path | None) -> dict[str, Any]:
    """The whole checkpoint again, bit for bit.

    Raises:
        UserError: no parent is given, or it is not the one that the difference was taken to.
    """
    parent = contents['difference_to']
    told = f'{parent.get("file")} (weights {str(parent.get("sha256"))[:12]}...)'
    if parent_path is None:
        raise UserError(f'{path} holds only the difference to {told}: give it with --difference-to')
    base, digest = _parent(parent_path)
    if digest != parent.get('sha256'):
        raise UserError(f'{path} is the difference to {told}, not to {parent_path} (weights {digest[:12]}...)')
    foreign = [key for key, value in contents['net'].items() if key not in base or value.shape != base[key].shape]
    if foreign:
        raise UserError(f'{path} holds {foreign[0]}, which its parent has not')
    whole = {key: value for key, value in contents.items() if key != 'difference_to'}
    return {**whole, 'net': OrderedDict({**base, **contents['net']})}


def same_bits(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors are equal bit for bit: zeros of either sign differ, equal NaNs do not."""
    return (first.dtype == second.dtype and first.shape == second.shape
            and torch.equal(first.reshape(-1).view(torch.uint8), second.reshape(-1).view(torch.uint8)))


def _parent(path: Path) -> tuple[dict[str, Tensor], str]:
    """Weights of a parent, and their SHA-256: the one that its descendants record as their teacher's."""
    net, _ = checkpoints.load(path)
    return dict(net.state_dict()), checkpoints.fingerprint(net)
