"""The test: parent, children and controls on thermal runs, after the choice stands."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from cmd_plugin import checkpoints
from cmd_plugin.reproduce.choice import locked, now
from cmd_plugin.reproduce.places import Data, Work, write_json
from cmd_plugin.reproduce.runs import Run, sequences_of, test_runs
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.tracking import Figures, FileTracker, figures, figures_of, track

KINDS = ('child', 'control')


def label_of(rank: int, kind: str, seed: int) -> str:
    """Name of a trained network in tables and folders."""
    return f'{rank}_{kind}_seed{seed}'


def evaluate(data: Data, work: Work, size: Size, label: str, network: Path, device: str | None) -> None:
    """Track all runs with a network and write its figures; what is the parent in all its weights has the parent's.

    Raises:
        UserError: no choice stands yet.
    """
    locked(work)
    runs = test_runs(data, size)
    tracker = FileTracker(label, network, size.crop, work.tracking / 'test', device)
    if work.figures('parent').is_file() and is_parent(work, network):
        shutil.copytree(tracker.results_dir.with_name('parent'), tracker.results_dir, dirs_exist_ok=True)
    else:
        track([tracker], sequences_of(runs), size.threads)
    note(work, label, figures(tracker, sequences_of(runs)), runs)


def is_parent(work: Work, network: Path) -> bool:
    """Whether a network is the parent, weight for weight, as the control of a row `_response` should be."""
    return checkpoints.fingerprint(checkpoints.load(network)[0]) == checkpoints.fingerprint(
        checkpoints.load(work.parent)[0])


def evaluate_static(data: Data, work: Work, size: Size) -> None:
    """Figures of the first box, for ever. Raises as `evaluate`."""
    locked(work)
    runs = test_runs(data, size)
    note(work, 'static', figures_of(static_boxes(sequences_of(runs)), sequences_of(runs)), runs)


def static_boxes(sequences: Any) -> dict[str, np.ndarray]:
    """The first box of every sequence, repeated, `(n, 4)` `xywh`, image px."""
    return {s.name: np.repeat(s.ground_truth_rect[:1], len(s.frames), axis=0) for s in sequences}


def note(work: Work, label: str, found: Figures, runs: list[Run]) -> None:
    """Write down figures of the test with the video and the group of each run, and when they were looked at."""
    write_json(work.figures(label), {
        'figures': found, 'videos': {run.sequence.name: run.video for run in runs},
        'groups': {run.sequence.name: run.group for run in runs}, 'looked_at': now()})
