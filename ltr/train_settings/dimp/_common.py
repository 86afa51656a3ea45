"""What DiMP's settings have in common: data, processing, losses, optimiser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ltr.actors.tracking import DiMPActor
from ltr.admin.errors import UserError
from ltr.admin.loading import load_weights
from ltr.admin.seeding import seed_worker
from ltr.admin.settings import Settings
from ltr.data import transforms as tfm
from ltr.data.loader import LTRLoader
from ltr.data.processing import DiMPProcessing
from ltr.data.sampler import DiMPSampler
from ltr.dataset import open_dataset
from ltr.models.loss.target_classification import LBHinge
from ltr.trainers import LTRTrainer

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB in [0, 1]
FEATURE_SZ = 18  # cells along a side of the feature map
OUTPUT_SZ = 288  # px along a side of the crop; the stride is 16
SEARCH_AREA_FACTOR = 5.0
OUTPUT_SIGMA = 1 / 4 / SEARCH_AREA_FACTOR  # of the label, relative to the feature map
WORKERS = 4  # a fixed number, not that of the cores: samples are drawn by the workers, so it changes them
LOSS_WEIGHT = {'iou': 1, 'test_clf': 100, 'test_init_clf': 100, 'test_iter_clf': 400}


@dataclass(frozen=True)
class DiMPRecipe:
    """In what DiMP-18 and DiMP-50 differ.

    Attributes:
        name: of the network, for `--net`.
        network: its constructor.
        out_feature_dim: channels of the classification features.
        clf_feat_blocks: residual blocks in the classification head.
        backbone_lr, bb_regressor_lr: learning rates.
    """

    name: str
    network: Callable[..., nn.Module]
    out_feature_dim: int
    clf_feat_blocks: int
    backbone_lr: float
    bb_regressor_lr: float


def run(settings: Settings, recipe: DiMPRecipe) -> None:
    """Train by the recipe, with the flags that were given.

    Raises:
        UserError: no `--data`, unreadable data, another `--net`, or initial weights that cannot be had.
    """
    if settings.option('net', recipe.name) != recipe.name:
        raise UserError(f'this setting trains {recipe.name}; for --net {settings.net} '
                        f'take the setting dimp {settings.net}')
    settings.description = settings.description or f'{recipe.name} with the default hyper-parameters'
    loader = training_loader(settings)
    net = build_network(settings, recipe)
    actor = DiMPActor(net, objective={'iou': nn.MSELoss(), 'test_clf': LBHinge(threshold=0.05)},
                      loss_weight=dict(LOSS_WEIGHT))
    optimizer = torch.optim.Adam(parameter_groups(net, recipe, settings.option('lr_scale', 1.0)))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=15, gamma=0.2)
    trainer = LTRTrainer(actor, [loader], optimizer, settings, scheduler)
    trainer.train(settings.option('epochs', 50), load_latest=True)


def training_loader(settings: Settings) -> LTRLoader:
    """Loader of jittered crops, three train and three test frames a sample, stacked to (frames, batch, ...).

    Raises:
        UserError: no `--data`, or a folder that cannot be read.
    """
    folders = settings.option('data', [])
    if not folders:
        raise UserError('no training data: give --data DIR, a folder of labelled sequences '
                        '(DIR/<sequence>/img and groundtruth_rect.txt); it may be repeated')
    batch = settings.option('batch', 10)
    if batch < 2:
        raise UserError('--batch must be 2 or more: the IoU network has batch norms over one value a sample')
    datasets = [open_dataset(folder) for folder in folders]
    sampler = DiMPSampler(datasets, None, samples_per_epoch=settings.option('samples', 26000), max_gap=30,
                          num_test_frames=3, num_train_frames=3, processing=processing())
    return LTRLoader('train', sampler, training=True, batch_size=batch, shuffle=True,
                     num_workers=settings.option('workers', WORKERS), drop_last=True, stack_dim=1,
                     worker_init_fn=seed_worker)


def processing() -> DiMPProcessing:
    """Crops, labels and proposals of DiMP's training."""
    return DiMPProcessing(
        search_area_factor=SEARCH_AREA_FACTOR,
        output_sz=OUTPUT_SZ,
        center_jitter_factor={'train': 3, 'test': 4.5},
        scale_jitter_factor={'train': 0.25, 'test': 0.5},
        mode='sequence',
        proposal_params={'min_iou': 0.1, 'boxes_per_frame': 8, 'sigma_factor': [0.01, 0.05, 0.1, 0.2, 0.3]},
        label_function_params={'feature_sz': FEATURE_SZ, 'sigma_factor': OUTPUT_SIGMA, 'kernel_sz': 4},
        transform=tfm.Transform(tfm.ToTensorAndJitter(0.2), tfm.Normalize(mean=MEAN, std=STD)),
        joint_transform=tfm.Transform(tfm.ToGrayscale(probability=0.05)),
    )


def build_network(settings: Settings, recipe: DiMPRecipe) -> nn.Module:
    """The network, with the weights of `--init`, else with a backbone trained on ImageNet.

    Raises:
        UserError: the weights do not fit or cannot be fetched.
    """
    options: dict[str, Any] = {
        'filter_size': 4, 'optim_iter': 5, 'optim_init_step': 0.9, 'optim_init_reg': 0.1,
        'init_gauss_sigma': OUTPUT_SIGMA * FEATURE_SZ, 'num_dist_bins': 100, 'bin_displacement': 0.1,
        'mask_init_factor': 3.0, 'target_mask_act': 'sigmoid', 'score_act': 'relu',
        'out_feature_dim': recipe.out_feature_dim, 'clf_feat_blocks': recipe.clf_feat_blocks}
    init = settings.option('init', None)
    net = recipe.network(backbone_pretrained=init is None, **options)
    if init is not None:
        print(load_weights(net, init))
    return net


def parameter_groups(net: Any, recipe: DiMPRecipe, scale: float) -> list[dict[str, Any]]:
    """Adam's groups; every learning rate times `scale`."""
    classifier = net.classifier
    rates = [(classifier.filter_initializer, 5e-5), (classifier.filter_optimizer, 5e-4),
             (classifier.feature_extractor, 5e-5), (net.bb_regressor, recipe.bb_regressor_lr),
             (net.feature_extractor, recipe.backbone_lr)]
    return [{'params': list(part.parameters()), 'lr': rate * scale} for part, rate in rates]
