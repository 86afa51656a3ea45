"""Table 1 on the generated world of the demo: its parent, its pairs, its thermal test set, its size."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from cmd_plugin.demo import steps
from cmd_plugin.demo.sizes import SIZES, Size
from cmd_plugin.options import rates
from cmd_plugin.table1.plan import Plan, chosen_rows, training_flags
from cmd_plugin.table1.world_boxes import write_world_boxes
from ltr.run_training import run_training
from pytracking.evaluation import get_dataset


def world_plan(options: argparse.Namespace, tracker: str, seed: int, folder: Path) -> Plan:
    """World and parent of a seed (those of the demo in the same folder, where it was run), and what is made of them.

    Raises:
        UserError: unknown tracker or row.
    """
    size = SIZES[options.size]
    boxes = options.boxes or folder / 'world' / 'boxes.json'
    rows = chosen_rows(tracker, options.rows, boxes)
    world = steps.make_world(folder / 'world', size, seed)
    if options.boxes is None:
        write_world_boxes(boxes, seed, size.pairs)
    parent = steps.train_parent(world, folder, size, seed)
    if tracker == 'cmd_atom':
        parent = _atom(parent, world, folder, size, seed)
    training = {'epochs': size.steps_epochs, 'samples': size.steps_samples, 'batch': size.batch, 'workers': 0,
                **training_flags(options)}
    return Plan(tracker, rows, parent, [world['pairs']], get_dataset('folder', root=world['tir_test']),
                training=training, rates=rates(size.rates), boxes=boxes, dataset='world',
                protocol=options.protocol, threads=options.threads)


def _atom(start: Path, world: dict[str, Path], workspace: Path, size: Size, seed: int) -> Path:
    """Train ATOM on labelled RGB video, from the backbone and IoU predictor of the DiMP parent; its checkpoint."""
    run_training('bbreg', 'atom_small', data=[world['rgb']], init=start, workspace=workspace, seed=seed,
                 epochs=size.parent_epochs, samples=size.parent_samples, workers=0)
    final = sorted((workspace / 'checkpoints' / 'ltr' / 'bbreg' / 'atom_small').glob('*_ep????.pth.tar'))[-1]
    target = workspace / 'networks' / 'atom_small.pth.tar'
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(final, target)
    return target
