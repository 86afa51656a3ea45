"""Row b3 of Table 1 from files: one network with the branches of two (no training)."""

from __future__ import annotations

from pathlib import Path

from cmd_plugin import checkpoints
from cmd_plugin.components import BBE
from cmd_plugin.components.base import graft
from cmd_plugin.errors import UserError


def merge_files(base: Path, reference: Path, test: Path, out: Path) -> None:
    """Write the merged network of three checkpoints.

    Raises:
        UserError: a file is missing, or the networks differ in kind or in their backbones.
    """
    net, _ = checkpoints.load(base)
    base_state = dict(net.state_dict())
    merged = dict(base_state)
    for path, modules in ((reference, BBE.reference), (test, BBE.test)):
        other, _ = checkpoints.load(path)
        state = dict(other.state_dict())
        if set(state) != set(base_state) or any(state[key].shape != base_state[key].shape for key in state):
            raise UserError(f'{path} holds another network than {base}')
        if not checkpoints.same_backbone(base_state, state):
            raise UserError(f'{path} comes from another parent than {base}: their backbones differ')
        graft(merged, state, modules)
    net.load_state_dict(merged)
    checkpoints.save(out, net, {'recipe': 'b3', 'crop_size': checkpoints.crop_size(net)})
    print(f'b3: {out}')
