"""The RGB parent: DiMP's heads on a frozen ImageNet backbone, trained until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from cmd_plugin import checkpoints, networks
from cmd_plugin.data.processing import CENTER_JITTER, PROPOSAL_SIGMAS, SCALE_JITTER
from cmd_plugin.errors import UserError
from cmd_plugin.reproduce import training
from cmd_plugin.reproduce.augmentation import strong
from cmd_plugin.reproduce.kept_out import divide
from cmd_plugin.reproduce.places import Data, Work, read_json, write_json
from cmd_plugin.reproduce.plateau import is_plateau
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.sources import parent_data
from cmd_plugin.reproduce.tracking import FileTracker, figures, track
from ltr.actors.tracking import DiMPActor
from ltr.admin.seeding import seed_everything
from ltr.admin.settings import Settings
from ltr.data.loader import LTRLoader
from ltr.data.processing import DiMPProcessing
from ltr.data.sampler import DiMPSampler
from ltr.dataset import BaseDataset
from ltr.models.loss.target_classification import LBHinge
from ltr.trainers import LTRTrainer
from pytracking.evaluation import SequenceList, get_dataset

SEED = 0
LOSS_WEIGHT = {'iou': 1, 'test_clf': 100, 'test_init_clf': 100, 'test_iter_clf': 400}
CLASSIFIER_SHARE = 0.2
"""Rate of the classifier over that of the IoU predictor, which starts from nothing."""
MIN_LENGTH = 8


def new_parent(data: Data, size: Size) -> nn.Module:
    """Heads of random weights on the given backbone, which is frozen."""
    seed_everything(SEED)
    net: Any = networks.load_parent(data.backbone, size.network)
    net.feature_extractor.requires_grad_(False)
    return net


def processing(size: Size) -> DiMPProcessing:
    """Crops as in DiMP's training, strongly augmented."""
    return DiMPProcessing(
        search_area_factor=5.0, output_sz=size.crop, center_jitter_factor=CENTER_JITTER,
        scale_jitter_factor=SCALE_JITTER, mode='sequence',
        proposal_params={'min_iou': 0.1, 'boxes_per_frame': 16, 'sigma_factor': list(PROPOSAL_SIGMAS)},
        label_function_params={'feature_sz': size.cells, 'sigma_factor': size.label_sigma, 'kernel_sz': 4}, **strong())


def loader_of(sets: Sequence[BaseDataset], weights: Sequence[float], size: Size, steps: int, workers: int) -> LTRLoader:
    """Batches of `parent_batch` samples, `steps` of them an epoch, of labelled data drawn by their weights."""
    sampler = DiMPSampler(sets, weights, samples_per_epoch=steps * size.parent_batch, max_gap=30, num_test_frames=1,
                          num_train_frames=1, processing=processing(size), min_length=MIN_LENGTH)
    return LTRLoader('train', sampler, batch_size=size.parent_batch, num_workers=workers, drop_last=True, stack_dim=1)


def groups_of(net: Any, rate: float) -> list[dict[str, Any]]:
    """Parameters of both heads, each with its rate, for Adam."""
    return [{'params': list(part.parameters()), 'lr': share * rate}
            for part, share in ((net.classifier, CLASSIFIER_SHARE), (net.bb_regressor, 1.0))]


def trainer_of(net: Any, loader: LTRLoader, groups: list[dict[str, Any]], settings: Settings,
               schedule: Callable[[torch.optim.Optimizer], Any]) -> LTRTrainer:
    """DiMP's own training on labels."""
    settings.grad_clip_max_norm = 5.0
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))
    actor = DiMPActor(net, {'iou': nn.MSELoss(), 'test_clf': LBHinge(threshold=0.05)}, LOSS_WEIGHT)
    return LTRTrainer(actor, [loader], optimizer, settings, schedule(optimizer), freeze_backbone_bn_layers=True)


def make_trainer(data: Data, work: Work, size: Size, device: str | None, workers: int) -> LTRTrainer:
    """The trainer of the parent, before its first epoch."""
    sets, weights = parent_data(data, work)
    loader = loader_of(sets, weights, size, size.parent_samples // size.parent_batch, workers)
    net = new_parent(data, size)
    settings = training.settings(work.root, 'parent', SEED, device, size.precision)
    return trainer_of(net, loader, groups_of(net, size.parent_rate), settings,
                      partial(torch.optim.lr_scheduler.StepLR, step_size=size.parent_decay[0],
                              gamma=size.parent_decay[1]))


def kept_out_sequences(data: Data, size: Size) -> SequenceList:
    """The kept-out RGB sequences, cut to the frames of the size."""
    found = get_dataset('folder', root=data.root / 'rgb')
    _, names = divide(sequence.name for sequence in found)
    return SequenceList([s.first(size.kept_out_frames) for s in found if s.name in names], found.protocol)


def epoch(data: Data, work: Work, size: Size, number: int, device: str | None, workers: int) -> None:
    """Train epoch `number` (1, 2, ...) where that is not done, track the kept-out sequences, and write both down."""
    trainer = make_trainer(data, work, size, device, workers)
    trainer.train(number, load_latest=True)
    loss: Any = trainer.stats['train']
    path = training.newest(trainer)
    tracker = FileTracker(f'epoch_{number:03d}', path, size.crop, work.tracking / 'kept_out', device)
    sequences = kept_out_sequences(data, size)
    track([tracker], sequences, size.threads)
    write_json(work.epoch(number), {
        'loss': loss['Loss/total'].history[-1], 'iou_loss': loss['Loss/iou'].history[-1],
        'success': figures(tracker, sequences)['success']})


def curve(work: Work) -> list[dict[str, Any]]:
    """What the epochs wrote down, in order."""
    found: list[dict[str, Any]] = []
    while work.epoch(len(found) + 1).is_file():
        found.append(read_json(work.epoch(len(found) + 1)))
    return found


def has_stopped(work: Work, size: Size) -> bool:
    """Whether no further epoch is wanted: the parent is there, at its plateau, or at the most epochs."""
    done = curve(work)
    return (work.parent.is_file() or len(done) >= size.parent_epochs
            or (len(done) >= size.parent_least and is_plateau(done).reached))


def finish(work: Work, size: Size) -> None:
    """Keep the network of the last epoch as the parent. Raises `UserError` where there is none."""
    folder = work.root / 'checkpoints' / 'parent'
    found = sorted(folder.glob('*_ep????.pth.tar'))
    if not found:
        raise UserError(f'{folder} holds no epoch of the parent: run the stage parent first')
    net, contents = checkpoints.load(found[-1])
    checkpoints.save(work.parent, net, {'recipe': 'parent', 'tracker': 'cmd_dimp', 'crop_size': size.crop,
                                        'epochs': contents['epoch']})
