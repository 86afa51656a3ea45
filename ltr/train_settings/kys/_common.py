"""What KYS's settings have in common: short videos, losses, and a trained DiMP to start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ltr.actors.kys import KYSActor
from ltr.admin.errors import UserError
from ltr.admin.loading import load_state, weights_of
from ltr.admin.settings import Settings
from ltr.data.loader import LTRLoader
from ltr.data.processing import DiMPProcessing
from ltr.data.sampler import TrackingSampler
from ltr.models.loss.lost_track import LostTrackHinge
from ltr.models.loss.target_classification import LBHinge
from ltr.train_settings._shared import (
    HINGE,
    OUTPUT_SIGMA,
    SEARCH_AREA_FACTOR,
    STRIDE,
    fit,
    make_network,
    open_loader,
    transforms,
)
from ltr.trainers import LTRTrainer

LOSS_WEIGHT = {'response': 100.0, 'target': 1.0, 'lost': 1.0}
OWN = 'response_predictor.'  # what KYS's weights hold beyond DiMP's


@dataclass(frozen=True)
class KYSRecipe:
    """In what the KYS settings differ.

    Attributes:
        name: of the network, for `--net`.
        network: its constructor.
        options: the constructor's arguments.
        dimp: a usual name of the checkpoint that training starts from, for messages.
        label_sigma: spread of the label, relative to the feature map.
        output_sz: px along a side of the crop.
        frames: consecutive frames a sample; in the first of them the target is told. At 288 px each takes about 18 MB
            of activations a sample.
        references: frames that DiMP's filter is made of.
        jitter, scale_jitter: of the crops of consecutive frames: as a tracker crops them, around the target's last
            place; a cell must stay in reach of its displacements.
        rivals: of `KYSActor`.
        batch, samples, epochs: length of the training.
        rate: learning rate.
        decay: epochs between two decays of the rate, and the factor.
    """

    name: str
    network: Callable[..., nn.Module]
    options: Mapping[str, Any]
    dimp: str
    label_sigma: float = OUTPUT_SIGMA
    output_sz: int = 288
    frames: int = 50
    references: int = 3
    jitter: float = 2.0
    scale_jitter: float = 0.1
    rivals: float = 0.3
    batch: int = 10
    samples: int = 1500
    epochs: int = 40
    rate: float = 1e-3
    decay: tuple[int, float] = (15, 0.2)


def run(settings: Settings, recipe: KYSRecipe) -> None:
    """Train by the recipe, with the flags that were given.

    Raises:
        UserError: no `--data`, unreadable data, no `--init`, or one that is no such DiMP or KYS.
    """
    settings.description = settings.description or f'{recipe.name} with the default hyper-parameters'
    if settings.option('init', None) is None:
        raise UserError(f'KYS learns on top of a trained DiMP: give its checkpoint, such as --init {recipe.dimp}')
    loader = training_loader(settings, recipe)
    net: Any = make_network(settings, recipe.network, recipe.options, False, load_tracker)
    optimizer = torch.optim.Adam(net.response_predictor.parameters(),
                                 lr=recipe.rate * settings.option('lr_scale', 1.0))
    settings.grad_clip_max_norm = 1.0  # through fifty frames, gradients may explode
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, *recipe.decay)
    trainer = LTRTrainer(actor(net, recipe), [loader], optimizer, settings, scheduler)
    fit(trainer, loader, settings.option('epochs', recipe.epochs))


def actor(net: nn.Module, recipe: KYSRecipe) -> KYSActor:
    """KYS's actor with its losses."""
    return KYSActor(net, {'response': LBHinge(threshold=HINGE), 'target': nn.BCEWithLogitsLoss(),
                          'lost': LostTrackHinge(threshold=HINGE)}, LOSS_WEIGHT, rivals=recipe.rivals)


def training_loader(settings: Settings, recipe: KYSRecipe) -> LTRLoader:
    """Loader of videos stacked to (frames, batch, ...). Raises as `open_loader`."""
    def sampler(datasets: Sequence[Any]) -> TrackingSampler:
        return TrackingSampler(datasets, None, samples_per_epoch=settings.option('samples', recipe.samples), max_gap=30,
                               num_test_frames=recipe.frames, num_train_frames=recipe.references,
                               processing=processing(recipe), frame_sample_mode='consecutive')
    return open_loader(settings, recipe.batch, sampler)


def processing(recipe: KYSRecipe) -> DiMPProcessing:
    """Crops and labels: reference frames as in DiMP's training, consecutive frames as a tracker sees them."""
    label = {'feature_sz': recipe.output_sz // STRIDE, 'sigma_factor': recipe.label_sigma, 'kernel_sz': 4}
    steps: dict[str, Any] = {**transforms()}
    return DiMPProcessing(
        search_area_factor=SEARCH_AREA_FACTOR, output_sz=recipe.output_sz,
        center_jitter_factor={'train': 3, 'test': recipe.jitter},
        scale_jitter_factor={'train': 0.25, 'test': recipe.scale_jitter}, mode='sequence',
        label_function_params=label, **steps)


def load_tracker(net: nn.Module, path: str | Path) -> str:
    """Weights of a KYS, or of the DiMP that it is built on; then the response predictor keeps its initial ones.

    Raises:
        UserError: weights of another network.
    """
    state = weights_of(path)
    if any(key.startswith(OWN) for key in state):
        return load_state(net, state, path)
    own = {key: value for key, value in net.state_dict().items() if key.startswith(OWN)}
    load_state(net, {**state, **own}, path)
    return f'{path}: weights of a DiMP ({len(state)} tensors); the response predictor starts anew'
