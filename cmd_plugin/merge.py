"""Row b3 of Table 1 from files: one network with the branches of two (no training)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from cmd_plugin import checkpoints
from cmd_plugin.components import BBE
from cmd_plugin.components.base import belongs
from cmd_plugin.errors import UserError


def merge_states(base: dict[str, Tensor], reference: dict[str, Tensor], test: dict[str, Tensor]) -> dict[str, Tensor]:
    """State dictionary with BBE's reference branch of `reference`, its test branch of `test`, `base` elsewhere."""
    merged = dict(base)
    merged.update({key: reference[key] for key in base if belongs(key, BBE.reference)})
    merged.update({key: test[key] for key in base if belongs(key, BBE.test)})
    return merged


def merge_files(base: Path, reference: Path, test: Path, out: Path) -> None:
    """Write the merged network of three checkpoints.

    Raises:
        UserError: a file is missing, or the networks differ in kind or in their backbones.
    """
    net, _ = checkpoints.load(base)
    states = [dict(net.state_dict())]
    for path in (reference, test):
        other, _ = checkpoints.load(path)
        state = dict(other.state_dict())
        if set(state) != set(states[0]) or any(state[key].shape != states[0][key].shape for key in state):
            raise UserError(f'{path} holds another network than {base}')
        if not checkpoints.same_backbone(states[0], state):
            raise UserError(f'{path} comes from another parent than {base}: their backbones differ')
        states.append(state)
    with torch.no_grad():
        net.load_state_dict(merge_states(*states))
    checkpoints.save(out, net, {'recipe': 'b3', 'crop_size': checkpoints.crop_size(net)})
    print(f'b3: {out}')
