"""From a recipe to a training run on the toolkit's own trainer."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR

from cmd_plugin import lineage, networks, provenance
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.data import PairedDataset, PairedSampler, VisibleTwice, cross_modal_processing, make_pseudo_box
from cmd_plugin.data.pair_cache import CachedPairs
from cmd_plugin.data.sampler import PairSource
from cmd_plugin.data.varied import VariedThermal
from cmd_plugin.errors import UserError
from cmd_plugin.master import MasterAdam
from cmd_plugin.options import (
    apply_variables,
    count,
    data_folders,
    factor,
    not_negative,
    option,
    precision,
    rates,
    weight,
)
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import recipe_of
from cmd_plugin.upstream.seeding import seed_epochs, seed_everything
from ltr.data import LTRLoader
from ltr.trainers import LTRTrainer

STRIDE = 16


def run_of(module: str) -> Callable[[Any], None]:
    """`run(settings)` of a settings module by its dotted name, which ends in TRACKER.RECIPE."""
    tracker, name = module.split('.')[-2:]
    return lambda settings: run(settings, tracker, name)


def run(settings: Any, tracker: str, name: str) -> None:
    """Make the network of a recipe: train it, or put it together where there is nothing to train.

    Raises:
        UserError: missing ancestors, pairs or weights.
    """
    apply_variables(settings)
    seed_everything(getattr(settings, 'seed', 0))  # of CMD_SEED, too; new weights are drawn next
    recipe = with_options(settings, recipe_of(tracker, name))
    settings.description = f'{tracker} {recipe.name}: {recipe.summary}'
    student, parent = lineage.start(settings, recipe)
    info = provenance.record(recipe, student, parent)
    if not recipe.components:
        if os.environ.get('RANK', '0') != '0':
            return  # of several processes (torchrun) the first one writes
        print(f'{recipe.name}: {provenance.put(recipe, student, info)}')
        return
    provenance.check_resume(recipe, info)
    object.__setattr__(student, 'info', info)
    settings.mix, settings.teacher, settings.teacher_sha256 = recipe.mix, recipe.teacher, info['teacher']
    train(settings, recipe, student, parent)


def with_options(settings: Any, recipe: CMDRecipe) -> CMDRecipe:
    """The recipe with a run's options in place of its own values.

    Raises:
        UserError: options that are out of range or do not fit the recipe.
    """
    scale = option(settings, 'lr_scale', 1.0, factor)
    lr = option(settings, 'lr', recipe.lr, rates)
    if recipe.components and (scale != 1 or lr != recipe.lr):
        shown = ', '.join(f'{name} {rate * scale:g} (paper {recipe.lr.get(name, 0):g})' for name, rate in lr.items())
        print(f'{recipe.name}: learning rates are not the paper\'s: {shown}')
    try:
        return dataclasses.replace(
            recipe, lr={component: rate * scale for component, rate in lr.items()} if recipe.components else {},
            epochs=option(settings, 'epochs', recipe.epochs, count),
            batch=option(settings, 'batch', recipe.batch, count),
            samples=option(settings, 'samples', recipe.samples, count),
            box_fraction=option(settings, 'box_fraction', recipe.box_fraction, factor),
            mix=option(settings, 'mix', recipe.mix), teacher=option(settings, 'teacher', recipe.teacher),
            lambda_=option(settings, 'lambda', recipe.lambda_, weight), mu=option(settings, 'mu', recipe.mu, weight),
            nu=option(settings, 'nu', recipe.nu, weight), tcl_loss=option(settings, 'tcl_loss', recipe.tcl_loss))
    except ValueError as error:
        raise UserError(f'{error} (see CMD_LR, CMD_MIX, CMD_TEACHER, CMD_TCL_LOSS)') from None


def as_seen(pairs: PairSource, recipe: CMDRecipe) -> PairSource:
    """The pairs as a recipe wants them: the control without thermal images, the second half varied or not."""
    source = pairs if recipe.thermal else VisibleTwice(pairs)
    return VariedThermal(source) if recipe.varied else source


def train(settings: Any, recipe: CMDRecipe, student: nn.Module, parent: nn.Module) -> None:
    """Distil `parent` into `student` on the pairs of the settings; resumes where an earlier run stopped."""
    dataset = PairedDataset(data_folders(settings))
    print(dataset.summary())
    pairs: PairSource = dataset
    megabytes = option(settings, 'cache_mb', 0, not_negative)
    if megabytes:
        pairs = CachedPairs(dataset, Path(settings.env.workspace_dir) / 'cache' / 'pairs', megabytes)
        print(pairs.summary())
    network = networks.description(student, recipe.tracker)
    source = as_seen(pairs, recipe)
    boxes = make_pseudo_box(recipe.pseudo_box, recipe.box_fraction, option(settings, 'boxes', None, Path))
    processing = cross_modal_processing(**{
        'output_sz': network.crop_size, 'feature_sz': network.crop_size // STRIDE, 'label_sigma': network.label_sigma,
        **recipe.family.processing, **network.processing})
    sampler = PairedSampler(source, boxes, recipe.samples, processing)
    loader = LTRLoader('train', sampler, training=True, batch_size=recipe.batch,
                       num_workers=option(settings, 'workers', 2, not_negative), drop_last=True, stack_dim=1)
    actor = CrossModalActor(student, parent, recipe,
                            option(settings, 'backbone_precision', torch.float32, precision))
    optimizer = MasterAdam(recipe.groups(student))
    scheduler = StepLR(optimizer, step_size=recipe.decay[0], gamma=recipe.decay[1])
    try:
        trainer = LTRTrainer(actor, [loader], optimizer, settings, scheduler)
        seed_epochs(trainer, [loader], getattr(settings, 'seed', 0))
        trainer.train(recipe.epochs, load_latest=True, fail_safe=False)
    finally:
        if sampler.summary():
            print(sampler.summary())
