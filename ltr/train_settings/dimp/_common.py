"""What DiMP's settings have in common: data, processing, losses, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ltr.actors.base_actor import BaseActor
from ltr.actors.tracking import DiMPActor
from ltr.admin.settings import Settings
from ltr.data.loader import LTRLoader
from ltr.data.processing import BaseProcessing, DiMPProcessing
from ltr.data.sampler import DiMPSampler
from ltr.models.loss.target_classification import LBHinge
from ltr.train_settings._shared import (
    HINGE,
    OUTPUT_SIGMA,
    PROPOSALS,
    SEARCH_AREA_FACTOR,
    STRIDE,
    check_net,
    fit,
    make_network,
    open_loader,
    transforms,
)
from ltr.trainers import LTRTrainer

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
        search_area_factor: side of the crop over the target's.
        crop_type, max_scale_change: of `DiMPProcessing`.
        test_jitter: reach of the test crops' centre jitter, in target sides.
        grayscale, flip, flip_crops: probabilities of `transforms`.
        frames: reference frames, and test frames, a sample.
        batch, samples, epochs: length of the training.
        decay: epochs between two decays of the rates, and the factor.
        beta2: Adam's memory of squared gradients.
        grad_clip: largest norm of the gradient.
        proposals: boxes a test frame.
        box_weight: of the loss of the proposals.
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
    search_area_factor: float = SEARCH_AREA_FACTOR
    crop_type: str = 'replicate'
    max_scale_change: float | None = None
    test_jitter: float = 4.5
    grayscale: float = 0.05
    flip: float = 0.0
    flip_crops: float = 0.0
    frames: int = 3
    batch: int = 10
    samples: int = 26_000
    epochs: int = 50
    decay: tuple[int, float] = (15, 0.2)
    pretrained: bool = True
    beta2: float = 0.999
    grad_clip: float | None = None
    proposals: int = 8
    box_weight: float = 1.0

    @property
    def feature_sz(self) -> int:
        """Feature cells along a side of the crop."""
        return self.output_sz // STRIDE


def processing(recipe: DiMPRecipe) -> BaseProcessing:
    """Crops, labels and proposals of DiMP's training."""
    return DiMPProcessing(**crops(recipe), proposal_params={**PROPOSALS, 'boxes_per_frame': recipe.proposals},
                          label_function_params=label_params(recipe))


def actor(net: nn.Module, recipe: DiMPRecipe) -> BaseActor:
    """DiMP's actor with its losses."""
    return DiMPActor(net, objective={'iou': nn.MSELoss(), 'test_clf': LBHinge(threshold=HINGE)},
                     loss_weight={**LOSS_WEIGHT, 'iou': recipe.box_weight})


def run(settings: Settings, recipe: DiMPRecipe, make_processing: Callable[[DiMPRecipe], BaseProcessing] = processing,
        make_actor: Callable[[nn.Module, DiMPRecipe], BaseActor] = actor) -> None:
    """Train by the recipe, with the flags that were given.

    Args:
        settings: of the run.
        recipe: numbers.
        make_processing: from the recipe to the processing of samples.
        make_actor: from the network to its actor.

    Raises:
        UserError: no `--data`, unreadable data, another `--net`, or initial weights that cannot be had.
    """
    check_net(settings, recipe.name)
    settings.description = settings.description or f'{recipe.name} with the default hyper-parameters'
    loader = training_loader(settings, recipe, make_processing)
    net = build_network(settings, recipe)
    groups = parameter_groups(net, recipe, settings.option('lr_scale', 1.0))
    optimizer = torch.optim.Adam(groups, betas=(0.9, recipe.beta2))
    settings.grad_clip_max_norm = recipe.grad_clip
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, *recipe.decay)
    trainer = LTRTrainer(make_actor(net, recipe), [loader], optimizer, settings, scheduler)
    fit(trainer, loader, settings.option('epochs', recipe.epochs))


def training_loader(settings: Settings, recipe: DiMPRecipe,
                    make_processing: Callable[[DiMPRecipe], BaseProcessing] = processing) -> LTRLoader:
    """Loader of jittered crops stacked to (frames, batch, ...).

    Raises:
        UserError: no `--data`, or a folder that cannot be read.
    """
    def sampler(datasets: Sequence[Any]) -> DiMPSampler:
        return DiMPSampler(datasets, None, samples_per_epoch=settings.option('samples', recipe.samples), max_gap=30,
                           num_test_frames=recipe.frames, num_train_frames=recipe.frames,
                           processing=make_processing(recipe))
    return open_loader(settings, recipe.batch, sampler)


def crops(recipe: DiMPRecipe) -> dict[str, Any]:
    """Arguments of the processing that say how crops are made."""
    return {'search_area_factor': recipe.search_area_factor, 'output_sz': recipe.output_sz,
            'center_jitter_factor': {'train': 3, 'test': recipe.test_jitter},
            'scale_jitter_factor': {'train': 0.25, 'test': 0.5}, 'crop_type': recipe.crop_type,
            'max_scale_change': recipe.max_scale_change, 'mode': 'sequence',
            **transforms(recipe.grayscale, recipe.flip, recipe.flip_crops)}


def label_params(recipe: DiMPRecipe) -> dict[str, Any]:
    """Arguments of the labels, and of label densities."""
    return {'feature_sz': recipe.feature_sz, 'sigma_factor': recipe.label_sigma, 'kernel_sz': 4}


def build_network(settings: Settings, recipe: DiMPRecipe) -> nn.Module:
    """The network, with the weights of `--init`, else with a backbone trained on ImageNet.

    Raises:
        UserError: the weights do not fit or cannot be fetched.
    """
    return make_network(settings, recipe.network, recipe.options, recipe.pretrained)


def parameter_groups(net: Any, recipe: DiMPRecipe, scale: float) -> list[dict[str, Any]]:
    """Adam's groups; every learning rate times `scale`."""
    classifier = net.classifier
    parts = (classifier.filter_initializer, classifier.filter_optimizer, classifier.feature_extractor)
    rates = [*zip(parts, recipe.classifier_lr, strict=True), (net.bb_regressor, recipe.bb_regressor_lr),
             (net.feature_extractor, recipe.backbone_lr)]
    return [{'params': list(part.parameters()), 'lr': rate * scale} for part, rate in rates]
