"""What a table is made of, checked before anything is trained."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cmd_plugin.checkpoints import workspace
from cmd_plugin.errors import UserError
from cmd_plugin.recipes import RECIPES, recipe_of
from pytracking.evaluation import SequenceList, get_dataset

FLAGS = ('epochs', 'samples', 'batch', 'lr_scale', 'device', 'workers')


@dataclass(frozen=True)
class Plan:
    """One table.

    Attributes:
        tracker: whose rows.
        rows: which, in the order of the paper.
        init: the parent; `None`: the `a1` of the workspace.
        data: folders of pairs; `None`: CMD_DATA.
        net: network of the parent.
        training: flags of `run_training`.
        rates: learning rates by component in place of the recipes'.
        boxes: of a detector, for d5.
        dataset: name that the results lie under.
        sequences: what is tracked.
        protocol: how to count; `None`: the data set's.
        threads: processes that track.
    """

    tracker: str
    rows: tuple[str, ...]
    init: Path | None
    data: Sequence[Path] | None
    sequences: SequenceList
    net: str | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    rates: Mapping[str, float] | None = None
    boxes: Path | None = None
    dataset: str = 'folder'
    protocol: str | None = None
    threads: int = 0


def chosen_rows(tracker: str, names: Sequence[str] | None, boxes: Path | None) -> tuple[str, ...]:
    """The asked-for rows of a tracker in the paper's order; by default all but the control, d5 where it has boxes.

    Raises:
        UserError: unknown tracker or row, or a row that needs boxes and has none.
    """
    for name in names or ():
        recipe_of(tracker, name)
    recipe_of(tracker, 'a1')
    rows = tuple(name for name in RECIPES[tracker] if (name in names if names else name != 'control'))
    blind = [name for name in rows if RECIPES[tracker][name].pseudo_box == 'detection' and boxes is None]
    if blind and names:
        raise UserError(f'{", ".join(blind)} needs boxes of a detector: make them once with python -m cmd_plugin '
                        'detect and give them with --boxes')
    if blind:
        print(f'left out: {", ".join(blind)}, which needs boxes of a detector (--boxes)')
    return tuple(name for name in rows if name not in blind)


def from_options(options: argparse.Namespace) -> Plan:
    """The plan of a command line, for data of one's own.

    Raises:
        UserError: an option that does not exist, or that does not fit the others.
    """
    trackers = options.tracker or ['cmd_dimp']
    if len(trackers) > 1:
        raise UserError('several trackers have several parents: run table1 once for each --tracker')
    boxes = options.boxes or _variable('CMD_BOXES')
    return Plan(trackers[0], chosen_rows(trackers[0], options.rows, boxes), options.init or _variable('CMD_INIT'),
                options.data, _sequences(options), options.net, training_flags(options), boxes=boxes,
                dataset=options.dataset, protocol=options.protocol, threads=options.threads)


def training_flags(options: argparse.Namespace) -> dict[str, Any]:
    """The given flags of the training."""
    return {name: getattr(options, name) for name in FLAGS if getattr(options, name) is not None}


def workspaces(options: argparse.Namespace) -> dict[int, Path]:
    """Folder of networks and results by seed: the workspace itself, or with several seeds one below it for each."""
    root = (options.workspace or workspace()).expanduser().resolve()
    if options.seeds == 1:
        return {options.seed: root}
    return {seed: root / f'seed_{seed}' for seed in range(options.seed, options.seed + options.seeds)}


def _variable(name: str) -> Path | None:
    text = os.environ.get(name, '')
    return Path(text) if text else None


def _sequences(options: argparse.Namespace) -> SequenceList:
    """What to track, of one folder or of several.

    Raises:
        UserError: no such data set, folder or sequence, or one name in two folders.
    """
    found = SequenceList()
    for root in options.dataset_path or [None]:
        part = get_dataset(options.dataset, root=root)
        found = SequenceList([*found, *part], part.protocol)
    names = [sequence.name for sequence in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f'the sequence name {twice[0]!r} occurs twice in the folders of --dataset-path')
    if options.sequences:
        found = SequenceList([_pick(found, name) for name in options.sequences], found.protocol)
    if options.max_frames:
        found = SequenceList([sequence.first(options.max_frames) for sequence in found], found.protocol)
    return found


def _pick(sequences: SequenceList, which: str) -> Any:
    if which.isdecimal() and which not in [sequence.name for sequence in sequences]:
        if int(which) >= len(sequences):
            raise UserError(f'sequence {which} does not exist: there are {len(sequences)}, counted from 0')
        return sequences[int(which)]
    return sequences[which]
