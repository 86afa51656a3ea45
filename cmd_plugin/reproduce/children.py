"""Training of one child or control: a recipe from the parent on stored pairs, looked at after so many steps."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import LinearLR

from cmd_plugin import checkpoints
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.components import BBE
from cmd_plugin.components.base import graft
from cmd_plugin.master import MasterAdam
from cmd_plugin.options import precision
from cmd_plugin.reproduce import training
from cmd_plugin.reproduce.places import Work
from cmd_plugin.reproduce.rows import TRACKER, Row, row_of
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.store import Store, StoredPairs
from ltr.data.loader import LTRLoader
from ltr.trainers import LTRTrainer


def train(work: Work, size: Size, row: Row, steps: Sequence[int], seed: int, name: str,
          device: str | None) -> list[Path]:
    """Networks after each of `steps` steps; a training that was stopped goes on after its last finished piece.

    Args:
        work: holds parent and store.
        size: of the pieces and batches.
        row: what learns from what, and from which samples.
        steps: increasing multiples of `size.piece`.
        seed: of the draws of samples.
        name: of its folder.
        device: as `--device`.

    Returns:
        Files in the scratch folder; whoever keeps one moves it.
    """
    if row.halves:
        return _merged(work, size, row, steps, seed, name, device)
    recipe = row.recipe
    student, _ = checkpoints.load(work.parent)
    parent = copy.deepcopy(student)
    store = Store(work.store(row.samples))
    record = {'recipe': recipe.name, 'tracker': TRACKER, 'crop_size': size.crop,
              'teacher': checkpoints.fingerprint(parent), 'thermal': recipe.thermal, 'lr': dict(recipe.lr)}
    actor = CrossModalActor(student, parent, recipe, precision(size.precision))
    for net in (parent, student):  # alike, or the student would first learn how features were rounded
        store.attach(net, bool(recipe.opened))
    loader = LTRLoader('train', StoredPairs(store, size.piece * size.batch, row.reads, row.matched),
                       batch_size=size.batch, drop_last=True, stack_dim=1)
    optimizer = MasterAdam(recipe.groups(student))
    settings = training.settings(work.scratch, name, seed, device, size.precision)
    trainer = LTRTrainer(actor, [loader], optimizer, settings, falling(optimizer, size))
    made = []
    for number in steps:
        path = work.scratch / f'{name}_{number}.pth.tar'
        made.append(path)
        if not path.is_file():
            trainer.train(number // size.piece, load_latest=True)
            checkpoints.save(path, worn(work, student.cpu(), row), {**record, 'steps': number, 'seed': seed})
            student.to(trainer.device)
    training.forget(trainer)
    return made


def _merged(work: Work, size: Size, row: Row, steps: Sequence[int], seed: int, name: str,
            device: str | None) -> list[Path]:
    """The same for b3: both halves are trained, and the second gives its test branch to the first."""
    made = [work.scratch / f'{name}_{number}.pth.tar' for number in steps]
    if all(path.is_file() for path in made):
        return made
    halves = [train(work, size, half, steps, seed, f'{name}_{half.recipe.name}', device) for half in row.halves]
    for path, files in zip(made, zip(*halves, strict=True), strict=True):
        (student, contents), (other, _) = map(checkpoints.load, files)
        state = student.state_dict()
        graft(state, other.state_dict(), BBE.test)
        student.load_state_dict(state)
        checkpoints.save(path, student, {**contents['net_info'], 'recipe': row.recipe.name})
    for file in (file for half in halves for file in half):
        file.unlink()
    return made


def falling(optimizer: torch.optim.Optimizer, size: Size) -> LinearLR:
    """The rate falls by equal parts, piece by piece, so that the last piece of the longest training has the least."""
    pieces = size.steps[-1] // size.piece
    return LinearLR(optimizer, 1.0, 1 / pieces, max(1, pieces - 1))


def worn(work: Work, student: Any, row: Row) -> Any:
    """The trained network with the backbone that it tracks with."""
    if not (row.backbone and row.recipe.thermal):
        return student
    made: Any = checkpoints.load(work.backbone(row.backbone))[0]
    made.load_state_dict({**student.state_dict(), **made.feature_extractor.state_dict(prefix='feature_extractor.')})
    return made


def keep(work: Work, size: Size, choice: Mapping[str, Any], thermal: bool, seed: int, path: Path,
         device: str | None) -> None:
    """Train a chosen row (or its control) with a seed and keep the network at `path`."""
    row = row_of(choice['row'], choice['rate'], thermal)
    [made] = train(work, size, row, [choice['steps']], seed, path.name.partition('.')[0], device)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.replace(path)
