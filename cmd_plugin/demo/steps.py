"""The steps of the demo, each the command that a person would type."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cmd_plugin import checkpoints
from cmd_plugin.demo.sizes import Size
from cmd_plugin.errors import UserError
from cmd_plugin.world import write_pairs, write_video
from ltr.run_training import run_training
from pytracking.analysis import evaluate
from pytracking.analysis.extract_results import TrackerResult, extract_results
from pytracking.evaluation import Sequence, Tracker, get_dataset
from pytracking.evaluation.results import read_boxes
from pytracking.evaluation.running import run_dataset

PARENT_FILE = 'dimp_small.pth.tar'
TRACKERS = {'parent': ('dimp', 'dimp_small'), 'control': ('cmd_dimp', 'control'), 'd3': ('cmd_dimp', 'd3')}
PROCESSES = 2  # for tracking: frames of so small a network are too short for two threads


def make_world(folder: Path, size: Size, seed: int) -> dict[str, Path]:
    """Write (or find) the world of a seed: `rgb` video, `pairs`, and test sets `rgb_test`, `tir_test`.

    As in reality, labelled RGB video is filmed by day; pairs and thermal sequences are taken by day and night.
    """
    return {
        'rgb': write_video(folder / 'rgb', 'rgb', seed, size.videos, size.video_length, daylight=True),
        'pairs': write_pairs(folder / 'pairs', seed, size.pairs),
        'rgb_test': write_video(folder / 'rgb_test', 'rgb', seed, size.tests, size.test_length, split='test',
                                daylight=True),
        'tir_test': write_video(folder / 'tir_test', 'tir', seed, size.tests, size.test_length, split='test'),
    }


def train_parent(world: dict[str, Path], workspace: Path, size: Size, seed: int) -> Path:
    """Train DiMP on labelled RGB video; returns its checkpoint."""
    run_training('dimp', 'dimp_small', data=[world['rgb']], workspace=workspace, seed=seed,
                 epochs=size.parent_epochs, samples=size.parent_samples, workers=0)
    final = sorted((workspace / 'checkpoints' / 'ltr' / 'dimp' / 'dimp_small').glob('*_ep????.pth.tar'))[-1]
    target = workspace / 'networks' / PARENT_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(final, target)
    return target


def distil(recipe: str, parent: Path, world: dict[str, Path], workspace: Path, size: Size, seed: int) -> Path:
    """Run a recipe from the parent on the unlabelled pairs; returns its checkpoint."""
    with environment({'CMD_LR': size.rates}):
        run_training('cmd_dimp', recipe, data=[world['pairs']], init=parent, workspace=workspace, seed=seed,
                     epochs=size.steps_epochs, samples=size.steps_samples, batch=size.batch, workers=0)
    path = checkpoints.newest(recipe)
    assert path is not None
    return path


def track(workspace: Path, data: Path, labels: Mapping[str, str]) -> list[TrackerResult]:
    """Track a test set with the newest networks of a workspace; a row for each of `labels`, a name of `TRACKERS`."""
    with environment({'PYTRACKING_WORKSPACE_DIR': str(workspace)}):
        trackers = [_tracker(workspace, data, name, label) for name, label in labels.items()]
        sequences = get_dataset('folder', root=data)
        report = run_dataset(sequences, trackers, threads=PROCESSES)
        if report.failures:
            raise UserError(f'{len(report.failures)} sequences of {data} failed (above): run the demo again')
        return extract_results(trackers, sequences)


def static_box(data: Path) -> TrackerResult:
    """The first box, for ever: what not tracking scores."""
    sequences = get_dataset('folder', root=data)
    boxes = {s.name: np.repeat(s.ground_truth_rect[:1], len(s.frames), axis=0) for s in sequences}
    return TrackerResult('static box', ('static', '', None), evaluate(boxes, sequences, 'lsotb'), 0, 0.0)


def boxes_of(workspace: Path, data: Path, name: str, sequence: Sequence) -> np.ndarray:
    """Saved boxes (n, 4) of a sequence, `xywh`, image px."""
    return read_boxes(_tracker(workspace, data, name).results_dir, sequence)


def _tracker(workspace: Path, data: Path, name: str, label: str | None = None) -> Tracker:
    return Tracker(*TRACKERS[name], display_name=label, results_path=workspace / 'tracking_results' / data.name)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
