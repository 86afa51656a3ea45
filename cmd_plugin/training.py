"""From a recipe to a training run on the toolkit's own trainer."""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import nn
from torch.optim.lr_scheduler import StepLR

from cmd_plugin import checkpoints, lineage
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.data import CenterArea, PairedDataset, PairedSampler, VisibleTwice, cross_modal_processing
from cmd_plugin.errors import UserError
from cmd_plugin.master import MasterAdam
from cmd_plugin.options import apply_variables, count, data_folders, factor, not_negative, option, rates
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
    apply_variables(settings)
    recipe = with_options(settings, RECIPES[name])
    settings.description = f'CMD {recipe.name}: {recipe.summary}'
    student, parent = lineage.start(settings, recipe)
    info: dict[str, Any] = {'recipe': recipe.name, 'crop_size': checkpoints.crop_size(student)}
    if not recipe.components:
        path = checkpoints.folder_of(recipe.name) / f'{type(student).__name__}_ep0001.pth.tar'
        checkpoints.save(path, student, info)
        print(f'{recipe.name}: {path}')
        return
    info['teacher'] = checkpoints.fingerprint(parent)
    _same_teacher(recipe, info['teacher'])
    object.__setattr__(student, 'info', info)
    settings.mix, settings.teacher, settings.teacher_sha256 = recipe.mix, recipe.teacher, info['teacher']
    train(settings, recipe, student, parent)


def _same_teacher(recipe: CMDRecipe, teacher: str) -> None:
    """Refuse to go on with a run that began under another teacher."""
    earlier = checkpoints.newest(recipe.name)
    if earlier is None:
        return
    _, contents = checkpoints.load(earlier)
    if (contents.get('net_info') or {}).get('teacher', teacher) != teacher:
        raise UserError(f'{earlier} was trained under another parent: give the same --init (or a1) again, choose '
                        'another --workspace, or remove it')


def with_options(settings: Any, recipe: CMDRecipe) -> CMDRecipe:
    """The recipe with a run's options in place of its own values.

    Raises:
        UserError: options that are out of range or do not fit the recipe.
    """
    scale = option(settings, 'lr_scale', 1.0, factor)
    lr = option(settings, 'lr', recipe.lr, rates)
    if scale != 1 or lr != recipe.lr:
        shown = ', '.join(f'{name} {rate * scale:g} (paper {recipe.lr.get(name, 0):g})' for name, rate in lr.items())
        print(f'{recipe.name}: learning rates are not the paper\'s: {shown}')
    try:
        return dataclasses.replace(
            recipe, lr={component: rate * scale for component, rate in lr.items()},
            epochs=option(settings, 'epochs', recipe.epochs, count),
            batch=option(settings, 'batch', recipe.batch, count),
            samples=option(settings, 'samples', recipe.samples, count),
            box_fraction=option(settings, 'box_fraction', recipe.box_fraction, factor),
            mix=option(settings, 'mix', recipe.mix), teacher=option(settings, 'teacher', recipe.teacher))
    except ValueError as error:
        raise UserError(f'{error} (see CMD_LR, CMD_MIX, CMD_TEACHER)') from None


def train(settings: Any, recipe: CMDRecipe, student: nn.Module, parent: nn.Module) -> None:
    """Distil `parent` into `student` on the pairs of the settings; resumes where an earlier run stopped."""
    dataset = PairedDataset(data_folders(settings))
    print(dataset.summary())
    size = checkpoints.crop_size(student)
    source = dataset if recipe.thermal else VisibleTwice(dataset)
    processing = cross_modal_processing(size, size // STRIDE, label_sigma=checkpoints.label_sigma(student))
    sampler = PairedSampler(source, CenterArea(recipe.box_fraction), recipe.samples, processing)
    loader = LTRLoader('train', sampler, training=True, batch_size=recipe.batch,
                       num_workers=option(settings, 'workers', 2, not_negative), drop_last=True, stack_dim=1)
    actor = CrossModalActor(student, parent, recipe)
    trained = recipe.trained(student)
    optimizer = MasterAdam([{'params': list(trained[component].values()), 'lr': recipe.lr[component]}
                            for component in recipe.components])
    scheduler = StepLR(optimizer, step_size=recipe.decay[0], gamma=recipe.decay[1])
    try:
        trainer = LTRTrainer(actor, [loader], optimizer, settings, scheduler)
        trainer.train(recipe.epochs, load_latest=True, fail_safe=False)
    finally:
        if sampler.summary():
            print(sampler.summary())

