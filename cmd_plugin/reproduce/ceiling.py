"""What labels would give: the parent trained on with labelled thermal video of *other* videos, and as long without.

No distillation, and no claim: what this training gives, and a check that the test can see a gain where there is one.
Videos are divided into folds; each is tracked by a network that has seen the labels of the other folds alone. It is
looked at after the choice stands, like everything that reads test labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cmd_plugin import checkpoints
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce import parent, training
from cmd_plugin.reproduce.children import falling
from cmd_plugin.reproduce.choice import locked, score_of
from cmd_plugin.reproduce.evaluation import note
from cmd_plugin.reproduce.places import Data, Work, write_json
from cmd_plugin.reproduce.rows import OPENED_SHARE
from cmd_plugin.reproduce.runs import labelled, sequences_of, test_runs, videos_of
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.sources import parent_data
from cmd_plugin.reproduce.store import LAYER
from cmd_plugin.reproduce.tracking import MEASURES, Figures, FileTracker, figures, track
from ltr.dataset import FolderVideo
from ltr.dataset.folder_video import VideoSequence, usable_boxes

FOLDS = 3
SEEDS = 2


@dataclass(frozen=True)
class Arm:
    """One way to train the parent on.

    Attributes:
        labels: thermal video is drawn as often as all of the parent's RGB data together; else RGB alone, the control.
        opened: layer3 learns as well.
    """

    labels: bool
    opened: bool

    @property
    def name(self) -> str:
        """In tables and folders."""
        return f'{"labels" if self.labels else "control"}{"_opened" * self.opened}'

    @property
    def folds(self) -> range:
        """One network each; RGB alone needs no division."""
        return range(FOLDS if self.labels else 1)


ARMS = tuple(Arm(labels, opened) for opened in (False, True) for labels in (True, False))


def rate_of(size: Size) -> float:
    """Of the IoU predictor, before it falls: the greatest that rows are tried at."""
    return max(size.rates)


def label_of(arm: Arm, seed: int) -> str:
    """Name of the figures of an arm."""
    return f'ceiling_{arm.name}_seed{seed}'


def network_of(work: Work, arm: Arm, fold: int, seed: int) -> Path:
    """The network that tracks the videos of a fold."""
    return work.root / 'ceiling' / f'{arm.name}_fold{fold}_seed{seed}.pth.tar'


def in_fold(video: str, videos: list[str], arm: Arm, fold: int) -> bool:
    """Whether a video belongs to a fold, by its place among all of them."""
    return videos.index(video) % len(arm.folds) == fold


def thermal_video(data: Data, arm: Arm, fold: int) -> FolderVideo:
    """The labelled thermal sequences of all videos outside a fold. Raises `UserError` for fewer videos than folds."""
    found = labelled(data)
    videos = videos_of(found)
    if len(videos) < FOLDS:
        raise UserError(f'{data.root} has {len(videos)} thermal videos: the ceiling needs {FOLDS}, one for each fold')
    made = FolderVideo(data.root / 'tir')
    made.sequences = [
        VideoSequence(run.sequence.name, [Path(frame) for frame in run.sequence.frames],
                      usable_boxes(run.sequence.ground_truth_rect))
        for run in found if not in_fold(run.video, videos, arm, fold)]
    return made


def train(data: Data, work: Work, size: Size, arm: Arm, fold: int, seed: int, device: str | None, workers: int) -> None:
    """Train the network of a fold and keep it. Raises `UserError` when no choice stands yet, or for too few videos."""
    locked(work)
    net: Any = checkpoints.load(work.parent)[0]
    net.feature_extractor.requires_grad_(False)
    rate = rate_of(size)
    groups = parent.groups_of(net, rate)
    if arm.opened:
        layer = getattr(net.feature_extractor, LAYER).requires_grad_(True)
        groups.append({'params': list(layer.parameters()), 'lr': OPENED_SHARE * rate})
    sets, weights = parent_data(data, work)
    if arm.labels:
        sets, weights = [*sets, thermal_video(data, arm, fold)], [*weights, sum(weights)]
    path = network_of(work, arm, fold, seed)
    settings = training.settings(work.scratch, f'ceiling_{path.name.partition(".")[0]}', seed, device, size.precision)
    trainer = parent.trainer_of(net, parent.loader_of(sets, weights, size, size.piece, workers), groups, settings,
                                partial(falling, size=size))
    trainer.train(size.steps[-1] // size.piece, load_latest=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.save(path, net.cpu(), {'recipe': f'ceiling {arm.name}', 'tracker': 'cmd_dimp', 'crop_size': size.crop,
                                       'fold': fold, 'seed': seed, 'steps': size.steps[-1]})
    training.forget(trainer)


def judged(work: Work, arm: Arm, seed: int) -> Path:
    """What the selection clips say of an arm's first network."""
    return work.root / 'ceiling' / f'{arm.name}_seed{seed}.json'


def judge(work: Work, size: Size, arm: Arm, seed: int, device: str | None) -> None:
    """Score an arm's first network on the selection clips: a judge that is worth something sees what labels give."""
    write_json(judged(work, arm, seed), score_of(work, size, network_of(work, arm, 0, seed), label_of(arm, seed),
                                                 device))


def evaluate(data: Data, work: Work, size: Size, arm: Arm, seed: int, device: str | None) -> None:
    """Track every run with the network that has not seen its video, and write the figures. Raises as `train`."""
    locked(work)
    runs = test_runs(data, size)
    videos = videos_of(labelled(data))
    found: Figures = {measure: {} for measure in MEASURES}
    for fold in arm.folds:
        network = network_of(work, arm, fold, seed)
        sequences = sequences_of([run for run in runs if in_fold(run.video, videos, arm, fold)])
        tracker = FileTracker(f'{label_of(arm, seed)}_fold{fold}', network, size.crop, work.tracking / 'test', device)
        track([tracker], sequences, size.threads)
        for measure, values in figures(tracker, sequences).items():
            found[measure].update(values)
    note(work, label_of(arm, seed), {measure: {run.sequence.name: values[run.sequence.name] for run in runs}
                                     for measure, values in found.items()}, runs)
