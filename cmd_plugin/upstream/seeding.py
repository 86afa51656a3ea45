"""Seeds where the toolkit sets none: the same numbers as our own trainer, so that a run is the same on both."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from cmd_plugin.errors import UserError


def seed_everything(seed: int, epoch: int = 0) -> None:
    """Seed Python, numpy and torch from (seed, epoch)."""
    mixed = _mixed(seed, epoch)
    random.seed(mixed)
    np.random.seed(mixed % 2 ** 32)
    torch.manual_seed(mixed)


def seed_at_start() -> None:
    """Seed before the settings module runs, since new networks are drawn there; from CMD_SEED, 0 by default.

    Raises:
        UserError: CMD_SEED is no whole number of 0 or more.
    """
    text = os.environ.get('CMD_SEED') or '0'
    if not text.isdecimal():
        raise UserError(f'CMD_SEED={text!r} is not valid; expected: a whole number of 0 or more')
    seed_everything(int(text))


def seed_epochs(trainer: Any, loaders: Sequence[Any], seed: int) -> None:
    """Let every epoch of a trainer begin with all generators set from (seed, epoch).

    So an epoch depends on nothing but weights, optimiser and its number, and a run that was stopped goes on as if it
    had not been. A trainer that knows of seeds does so by itself and is left alone.

    Args:
        trainer: an `LTRTrainer`.
        loaders: its loaders, of a data set that seeds every sample from its `epoch_seed` (`PairedSampler`).
        seed: of everything random.

    Raises:
        UserError: several processes train with a trainer that does not know of seeds, nor of other processes.
    """
    if hasattr(trainer, 'seed'):
        return
    if os.environ.get('WORLD_SIZE', '1') != '1':
        raise UserError('this toolkit trains in one process: start it without torchrun')
    train_epoch = trainer.train_epoch

    def seeded() -> None:
        seed_everything(seed, trainer.epoch)
        for index, loader in enumerate(loaders):
            # Also without workers: else the loader would take a number from the common stream.
            loader.generator = torch.Generator().manual_seed(_mixed(seed, trainer.epoch, index + 1))
            loader.dataset.epoch_seed = loader.generator.initial_seed()
        train_epoch()
    trainer.train_epoch = seeded


def _mixed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
