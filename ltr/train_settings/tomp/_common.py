"""What ToMP's settings have in common: data, processing, losses, optimiser.

From the paper (Sec. 3.4 and 4): two reference frames and one test frame, loss weights 100 and 1, AdamW at 1e-4, times
0.2 after 150 and 250 of 300 epochs, 40,000 samples an epoch, crops of 288 px, search area 5. Jitter, flips and label
are DiMP's and SuperDiMP's, the backbone's rate DiMP's, the clipped gradient that of DETR; batch and frame gap are our
choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ltr.actors.tomp import ToMPActor
from ltr.admin.settings import Settings
from ltr.data.loader import LTRLoader
from ltr.data.processing import DiMPProcessing
from ltr.data.sampler import DiMPSampler
from ltr.models.loss.box_overlap import GIoULoss
from ltr.models.loss.target_classification import LBHinge
from ltr.train_settings._shared import (
    HINGE,
    OUTPUT_SIGMA,
    SEARCH_AREA_FACTOR,
    STRIDE,
    check_net,
    fit,
    make_network,
    open_loader,
    transforms,
)
from ltr.trainers import LTRTrainer

HINGE_WEIGHT = 100.0
KERNEL = 1  # side of the predicted filter, feature cells


@dataclass(frozen=True)
class ToMPRecipe:
    """In what the ToMP settings differ.

    Attributes:
        name: of the network, for `--net`.
        network: its constructor; `backbone_pretrained` is added to `options`.
        options: the constructor's arguments.
        lr, backbone_lr: learning rates.
        output_sz: px along a side of the crop.
        label_sigma: spread of the label, relative to the feature map; the network marks reference frames with the same.
        frames: reference frames, and test frames, a sample.
        max_gap: frames that they may lie apart.
        box_weight: of the loss of the boxes; that of the scores has 100.
        batch, samples, epochs: length of the training.
        decays: epochs after which the rates are multiplied by 0.2.
        weight_decay: of AdamW.
        grad_clip: largest norm of the gradient.
        grayscale: probability.
        pretrained: whether a backbone trained on ImageNet exists, whose batch norms are then kept; otherwise training
            starts from random weights.
    """

    name: str
    network: Callable[..., nn.Module]
    options: Mapping[str, Any] = field(default_factory=dict)
    lr: float = 1e-4
    backbone_lr: float = 2e-5
    output_sz: int = 288
    label_sigma: float = OUTPUT_SIGMA
    frames: tuple[int, int] = (2, 1)
    max_gap: int = 200
    box_weight: float = 1.0
    batch: int = 32
    samples: int = 40_000
    epochs: int = 300
    decays: tuple[int, ...] = (150, 250)
    weight_decay: float = 1e-4
    grad_clip: float = 0.1
    grayscale: float = 0.05
    pretrained: bool = True


def run(settings: Settings, recipe: ToMPRecipe) -> None:
    """Train by the recipe, with the flags that were given.

    Raises:
        UserError: no `--data`, unreadable data, another `--net`, or initial weights that cannot be had.
    """
    check_net(settings, recipe.name)
    settings.description = settings.description or f'{recipe.name} with the default hyper-parameters'
    loader = training_loader(settings, recipe)
    net = make_network(settings, recipe.network, {**recipe.options, 'label_sigma': recipe.label_sigma},
                       recipe.pretrained)
    optimizer = torch.optim.AdamW(parameter_groups(net, recipe, settings.option('lr_scale', 1.0)),
                                  weight_decay=recipe.weight_decay)
    settings.grad_clip_max_norm = recipe.grad_clip
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, recipe.decays, gamma=0.2)
    trainer = LTRTrainer(actor(net, recipe), [loader], optimizer, settings, scheduler,
                         freeze_backbone_bn_layers=recipe.pretrained)
    fit(trainer, loader, settings.option('epochs', recipe.epochs))


def actor(net: nn.Module, recipe: ToMPRecipe) -> ToMPActor:
    """ToMP's actor with its losses."""
    return ToMPActor(net, {'test_clf': LBHinge(threshold=HINGE), 'giou': GIoULoss(threshold=HINGE)},
                     {'test_clf': HINGE_WEIGHT, 'giou': recipe.box_weight})


def processing(recipe: ToMPRecipe) -> DiMPProcessing:
    """Crops and labels; the boxes of the crops are all else that ToMP learns from."""
    transformed: dict[str, Any] = transforms(recipe.grayscale, flip=0.5)
    return DiMPProcessing(
        search_area_factor=SEARCH_AREA_FACTOR, output_sz=recipe.output_sz,
        center_jitter_factor={'train': 3, 'test': 4.5}, scale_jitter_factor={'train': 0.25, 'test': 0.5},
        mode='sequence', label_function_params={
            'feature_sz': recipe.output_sz // STRIDE, 'sigma_factor': recipe.label_sigma, 'kernel_sz': KERNEL},
        **transformed)


def training_loader(settings: Settings, recipe: ToMPRecipe) -> LTRLoader:
    """Loader of jittered crops stacked to (frames, batch, ...).

    Raises:
        UserError: no `--data`, or a folder that cannot be read.
    """
    def sampler(datasets: Sequence[Any]) -> DiMPSampler:
        train, test = recipe.frames
        return DiMPSampler(datasets, None, samples_per_epoch=settings.option('samples', recipe.samples),
                           max_gap=recipe.max_gap, num_test_frames=test, num_train_frames=train,
                           processing=processing(recipe))
    return open_loader(settings, recipe.batch, sampler)


def parameter_groups(net: Any, recipe: ToMPRecipe, scale: float) -> list[dict[str, Any]]:
    """AdamW's groups; every learning rate times `scale`."""
    return [{'params': list(net.head.parameters()), 'lr': recipe.lr * scale},
            {'params': list(net.feature_extractor.parameters()), 'lr': recipe.backbone_lr * scale}]
