"""From a recipe to a training run on the toolkit's own trainer."""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import nn
from torch.optim.lr_scheduler import StepLR

from cmd_plugin import checkpoints, lineage
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.data import CenterArea, PairedDataset, PairedSampler, VisibleTwice, cross_modal_processing
from cmd_plugin.master import MasterAdam
from cmd_plugin.options import data_folders, option
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES
from ltr.data import LTRLoader
from ltr.trainers import LTRTrainer

STRIDE = 16


def run(settings: Any, name: str) -> None:
    """Make the network of recipe `name`: train it, or put it together where there is nothing to train.

    Raises:
        UserError: missing ancestors, pairs or weights.
    """
    recipe = with_options(settings, RECIPES[name])
    settings.description = f'CMD {recipe.name}: {recipe.summary}'
    student, parent = lineage.start(settings, recipe)
    info = {'recipe': recipe.name, 'crop_size': checkpoints.crop_size(student)}
    if not recipe.components:
        path = checkpoints.folder_of(recipe.name) / f'{type(student).__name__}_ep0001.pth.tar'
        checkpoints.save(path, student, info)
        print(f'{recipe.name}: {path}')
        return
    object.__setattr__(student, 'info', info)
    train(settings, recipe, student, parent)


def with_options(settings: Any, recipe: CMDRecipe) -> CMDRecipe:
    """The recipe with a run's options in place of its own values."""
    scale = option(settings, 'lr_scale', 1.0, float)
    if scale != 1:
        print(f'{recipe.name}: learning rates are {scale:g} times the paper\'s')
    return dataclasses.replace(
        recipe, lr={component: rate * scale for component, rate in recipe.lr.items()},
        epochs=option(settings, 'epochs', recipe.epochs, int), batch=option(settings, 'batch', recipe.batch, int),
        samples=option(settings, 'samples', recipe.samples, int),
        mix=option(settings, 'mix', recipe.mix), teacher=option(settings, 'teacher', recipe.teacher))


def train(settings: Any, recipe: CMDRecipe, student: nn.Module, parent: nn.Module) -> None:
    """Distil `parent` into `student` on the pairs of the settings; resumes where an earlier run stopped."""
    dataset = PairedDataset(data_folders(settings))
    print(dataset.summary())
    size = checkpoints.crop_size(student)
    source = dataset if recipe.thermal else VisibleTwice(dataset)
    sampler = PairedSampler(source, CenterArea(), recipe.samples, cross_modal_processing(size, size // STRIDE))
    loader = LTRLoader('train', sampler, training=True, batch_size=recipe.batch,
                       num_workers=option(settings, 'workers', 2, int), drop_last=True, stack_dim=1)
    actor = CrossModalActor(student, parent, recipe)
    trained = recipe.trained(student)
    optimizer = MasterAdam([{'params': list(trained[component].values()), 'lr': recipe.lr[component]}
                            for component in recipe.components])
    scheduler = StepLR(optimizer, step_size=recipe.decay[0], gamma=recipe.decay[1])
    LTRTrainer(actor, [loader], optimizer, settings, scheduler).train(recipe.epochs, load_latest=True, fail_safe=True)
    if sampler.summary():
        print(sampler.summary())

