"""Row b3 of Table 1 from files: one network with the branches of two (no training)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cmd_plugin import checkpoints, networks
from cmd_plugin.components import BBE
from cmd_plugin.components.base import graft
from cmd_plugin.errors import UserError
from cmd_plugin.lineage import descendant, inherited
from cmd_plugin.recipes import RECIPES


def merge_files(base: Path, reference: Path, test: Path, out: Path) -> None:
    """Write the merged network of three checkpoints.

    Raises:
        UserError: a file is missing, the networks differ in kind, in their trackers or in their parents, or one has not
            trained the branch that it is to give.
    """
    net, contents = checkpoints.load(base)
    tracker, merged = None, dict(net.state_dict())
    for path, branch, modules in ((reference, 'reference', BBE.reference), (test, 'test', BBE.test)):
        state, info = descendant(path, base, net)
        before, tracker = tracker, info.get('tracker') or networks.family_of(base, contents)
        if before not in (None, tracker):
            raise UserError(f'{path} is a network of {tracker}, but {reference} one of {before}')
        _has_trained(path, info, tracker, branch, modules)
        graft(merged, state, modules)
    record = {'recipe': 'b3', 'tracker': tracker, 'crop_size': networks.crop_size(net, tracker or ''),
              'teacher': checkpoints.fingerprint(net)}
    net.load_state_dict(merged)
    checkpoints.save(out, net, record)
    print(f'b3: {out}')


def _has_trained(path: Path, info: dict[str, Any], tracker: str, branch: str, modules: tuple[str, ...]) -> None:
    """Refuse a network whose record says that the branch is still the parent's: `--reference` and `--test` swapped."""
    recipe = info.get('recipe')
    if recipe in RECIPES[tracker] and not any(set(modules) <= set(own) for own in inherited(tracker, recipe)):
        raise UserError(f'{path} is a network of {recipe}, whose {branch} branch of the IoU predictor has learned '
                        f'nothing: --reference takes b1, --test takes b2')
