"""What ATOM's settings have in common: data, processing, loss, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ltr.actors.bbreg import AtomActor
from ltr.admin.loading import load_state, weights_of
from ltr.admin.settings import Settings
from ltr.data.loader import LTRLoader
from ltr.data.processing import ATOMProcessing
from ltr.data.sampler import ATOMSampler
from ltr.train_settings._shared import PROPOSALS, SEARCH_AREA_FACTOR, fit, make_network, open_loader, transforms
from ltr.trainers import LTRTrainer

CLASSIFIER = 'classifier.'  # what DiMP's weights hold beyond ATOM's


@dataclass(frozen=True)
class AtomRecipe:
    """In what the ATOM settings differ.

    Attributes:
        name: of the network, for `--net`.
        network: its constructor.
        backbone_lr: learning rate of the backbone; `None` keeps its weights.
        bb_regressor_lr: learning rate of the IoU predictor.
        output_sz: px along a side of the crop.
        proposals: boxes a sample.
        batch, samples, epochs: length of the training.
        decay: epochs between two decays of the rates, and the factor.
        pretrained: whether a backbone trained on ImageNet exists; otherwise training starts from random weights.
    """

    name: str
    network: Callable[..., nn.Module]
    backbone_lr: float | None = None
    bb_regressor_lr: float = 1e-3
    output_sz: int = 288
    proposals: int = 16
    batch: int = 64
    samples: int = 64_000
    epochs: int = 50
    decay: tuple[int, float] = (15, 0.2)
    pretrained: bool = True


def run(settings: Settings, recipe: AtomRecipe) -> None:
    """Train by the recipe, with the flags that were given.

    Raises:
        UserError: no `--data`, unreadable data, or initial weights that cannot be had.
    """
    settings.description = settings.description or f'{recipe.name} with the default hyper-parameters'
    loader = training_loader(settings, recipe)
    net = make_network(settings, recipe.network, {}, recipe.pretrained, load_tracker)
    optimizer = torch.optim.Adam(parameter_groups(net, recipe, settings.option('lr_scale', 1.0)))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, *recipe.decay)
    trainer = LTRTrainer(AtomActor(net, nn.MSELoss()), [loader], optimizer, settings, scheduler)
    fit(trainer, loader, settings.option('epochs', recipe.epochs))


def training_loader(settings: Settings, recipe: AtomRecipe) -> LTRLoader:
    """Loader of one reference and one test crop a sample, stacked to (1, batch, ...). Raises as `open_loader`."""
    def sampler(datasets: Sequence[Any]) -> ATOMSampler:
        return ATOMSampler(datasets, None, samples_per_epoch=settings.option('samples', recipe.samples), max_gap=50,
                           processing=processing(recipe))
    return open_loader(settings, recipe.batch, sampler)


def processing(recipe: AtomRecipe) -> ATOMProcessing:
    """Crops and proposals of ATOM's training: the reference crop is centred, the test crop jittered."""
    return ATOMProcessing(
        search_area_factor=SEARCH_AREA_FACTOR,
        output_sz=recipe.output_sz,
        center_jitter_factor={'train': 0, 'test': 4.5},
        scale_jitter_factor={'train': 0, 'test': 0.5},
        mode='sequence',
        proposal_params={**PROPOSALS, 'boxes_per_frame': recipe.proposals},
        **transforms(),
    )


def parameter_groups(net: Any, recipe: AtomRecipe, scale: float) -> list[dict[str, Any]]:
    """Adam's groups; every learning rate times `scale`."""
    groups = [{'params': list(net.bb_regressor.parameters()), 'lr': recipe.bb_regressor_lr * scale}]
    if recipe.backbone_lr is not None:
        groups.append({'params': list(net.feature_extractor.parameters()), 'lr': recipe.backbone_lr * scale})
    return groups


def load_tracker(net: nn.Module, path: str | Path) -> str:
    """`load_weights`, and from weights of a DiMP what the two have in common: backbone and IoU predictor.

    Raises:
        UserError: as `load_weights`.
    """
    state = weights_of(path)
    shared = {key: value for key, value in state.items() if not key.startswith(CLASSIFIER)}
    left = len(state) - len(shared)
    return load_state(net, shared, path) + (f'; {left} tensors of a classifier are left out' if left else '')
