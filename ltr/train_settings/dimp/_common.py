"""What DiMP's settings have in common: data, processing, losses, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
STRIDE = 16  # px of the crop a feature cell
SEARCH_AREA_FACTOR = 5.0
OUTPUT_SIGMA = 1 / 4 / SEARCH_AREA_FACTOR  # of the label, relative to the feature map
WORKERS = 4  # a fixed number, not that of the cores: samples are drawn by the workers, so it changes them
LOSS_WEIGHT = {'test_clf': 100, 'test_init_clf': 100, 'test_iter_clf': 400}


@dataclass(frozen=True)
class DiMPRecipe:
    """In what the DiMP settings differ.

    Attributes:
        name: of the network, for `--net`.
        network: its constructor; `backbone_pretrained` is added to `options`.
        options: the constructor's arguments.
        backbone_lr, bb_regressor_lr: learning rates.
        classifier_lr: of the filter initialiser, the filter optimiser and the classification features.
        label_sigma: spread of the label, relative to the feature map.
        output_sz: px along a side of the crop.
        frames: reference frames, and test frames, a sample.
        batch, samples, epochs: length of the training.
        decay: epochs between two decays of the rates, and the factor.
        beta2: Adam's memory of squared gradients.
        grad_clip: largest norm of the gradient.
        proposals: boxes a test frame.
        iou_weight: of the IoU loss.
        pretrained: whether a backbone trained on ImageNet exists; otherwise training starts from random weights.
    """

    name: str
    network: Callable[..., nn.Module]
    options: Mapping[str, Any]
    backbone_lr: float
    bb_regressor_lr: float
    classifier_lr: tuple[float, float, float] = (5e-5, 5e-4, 5e-5)
    label_sigma: float = OUTPUT_SIGMA
    output_sz: int = 288
    frames: int = 3
    batch: int = 10
    samples: int = 26_000
    epochs: int = 50
    decay: tuple[int, float] = (15, 0.2)
    pretrained: bool = True
    beta2: float = 0.999
    grad_clip: float | None = None
    proposals: int = 8
    iou_weight: float = 1.0


def run(settings: Settings, recipe: DiMPRecipe) -> None:
    """Train by the recipe, with the flags that were given.

    Raises:
        UserError: no `--data`, unreadable data, another `--net`, or initial weights that cannot be had.
    """
    if settings.option('net', recipe.name) != recipe.name:
        raise UserError(f'this setting trains {recipe.name}; for --net {settings.net} '
                        f'take the setting dimp {settings.net}')
    settings.description = settings.description or f'{recipe.name} with the default hyper-parameters'
    loader = training_loader(settings, recipe)
    net = build_network(settings, recipe)
    actor = DiMPActor(net, objective={'iou': nn.MSELoss(), 'test_clf': LBHinge(threshold=0.05)},
                      loss_weight={**LOSS_WEIGHT, 'iou': recipe.iou_weight})
    groups = parameter_groups(net, recipe, settings.option('lr_scale', 1.0))
    optimizer = torch.optim.Adam(groups, betas=(0.9, recipe.beta2))
    settings.grad_clip_max_norm = recipe.grad_clip
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, *recipe.decay)
    trainer = LTRTrainer(actor, [loader], optimizer, settings, scheduler)
    try:
        trainer.train(settings.option('epochs', recipe.epochs), load_latest=True)
    finally:
        sampler: Any = loader.dataset
        if sampler.bad_frames.summary():
            print(sampler.bad_frames.summary())


def training_loader(settings: Settings, recipe: DiMPRecipe) -> LTRLoader:
    """Loader of jittered crops stacked to (frames, batch, ...).

    Raises:
        UserError: no `--data`, or a folder that cannot be read.
    """
    folders = settings.option('data', [])
    if not folders:
        raise UserError('no training data: give --data DIR, a folder of labelled sequences '
                        '(DIR/<sequence>/img and groundtruth_rect.txt); it may be repeated')
    batch = settings.option('batch', recipe.batch)
    if batch < 2:
        raise UserError('--batch must be 2 or more: the IoU network has batch norms over one value a sample')
    datasets = [open_dataset(folder) for folder in folders]
    sampler = DiMPSampler(datasets, None, samples_per_epoch=settings.option('samples', recipe.samples), max_gap=30,
                          num_test_frames=recipe.frames, num_train_frames=recipe.frames,
                          processing=processing(recipe))
    return LTRLoader('train', sampler, training=True, batch_size=batch, shuffle=True,
                     num_workers=settings.option('workers', WORKERS), drop_last=True, stack_dim=1,
                     worker_init_fn=seed_worker)


def processing(recipe: DiMPRecipe) -> DiMPProcessing:
    """Crops, labels and proposals of DiMP's training."""
    return DiMPProcessing(
        search_area_factor=SEARCH_AREA_FACTOR,
        output_sz=recipe.output_sz,
        center_jitter_factor={'train': 3, 'test': 4.5},
        scale_jitter_factor={'train': 0.25, 'test': 0.5},
        mode='sequence',
        proposal_params={'min_iou': 0.1, 'boxes_per_frame': recipe.proposals,
                         'sigma_factor': [0.01, 0.05, 0.1, 0.2, 0.3]},
        label_function_params={'feature_sz': recipe.output_sz // STRIDE, 'sigma_factor': recipe.label_sigma,
                               'kernel_sz': 4},
        transform=tfm.Transform(tfm.ToTensorAndJitter(0.2), tfm.Normalize(mean=MEAN, std=STD)),
        joint_transform=tfm.Transform(tfm.ToGrayscale(probability=0.05)),
    )


def build_network(settings: Settings, recipe: DiMPRecipe) -> nn.Module:
    """The network, with the weights of `--init`, else with a backbone trained on ImageNet.

    Raises:
        UserError: the weights do not fit or cannot be fetched.
    """
    init = settings.option('init', None)
    net = recipe.network(backbone_pretrained=recipe.pretrained and init is None, **recipe.options)
    if init is not None:
        print(load_weights(net, init))
    return net


def parameter_groups(net: Any, recipe: DiMPRecipe, scale: float) -> list[dict[str, Any]]:
    """Adam's groups; every learning rate times `scale`."""
    classifier = net.classifier
    parts = (classifier.filter_initializer, classifier.filter_optimizer, classifier.feature_extractor)
    rates = [*zip(parts, recipe.classifier_lr, strict=True), (net.bb_regressor, recipe.bb_regressor_lr),
             (net.feature_extractor, recipe.backbone_lr)]
    return [{'params': list(part.parameters()), 'lr': rate * scale} for part, rate in rates]
