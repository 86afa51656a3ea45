"""A parent that another workspace has trained, for other rows than were tried there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from cmd_plugin.errors import UserError
from cmd_plugin.reproduce.places import Work, read_json
from ltr.admin.whole import write_whole


def adopt(other: Work, work: Work, begun: Mapping[str, Any]) -> None:
    """Copy boxes, parent, its curve and its figures; the parent comes last, and nothing is copied where it is there.

    Args:
        other: a workspace whose parent is finished.
        work: the workspace that takes it.
        begun: data and numbers of `work`, as both workspaces note them.

    Raises:
        UserError: there is no finished parent, or it is of another size or precision, or of other data.
    """
    if work.parent.is_file():
        return
    note = other.root / 'begun.json'
    for path in (note, other.boxes, other.kept_out, other.parent):
        if not path.is_file():
            raise UserError(f'{path} is not there: --parent DIR is the --workspace of a run whose parent is finished')
    theirs, ours = (_of_the_parent(said) for said in (read_json(note), begun))
    if theirs != ours:
        raise UserError(f'the parent in {other.root} is another: {theirs}; here it is {ours}')
    shutil.copytree(other.epoch(1).parent, work.epoch(1).parent, dirs_exist_ok=True)
    for path in (other.boxes, other.kept_out, other.parent):
        write_whole(work.root / path.name, path.read_bytes())


def _of_the_parent(said: Mapping[str, Any]) -> str:
    before, _, after = said['numbers'].partition(', rows ')
    return f'{before}, precision {after.rpartition("precision ")[2]}, data {said["data"]}'
