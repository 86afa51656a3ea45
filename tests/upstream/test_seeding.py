"""Seeds where the toolkit sets none are those of our own trainer."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cmd_plugin.errors import UserError
from cmd_plugin.upstream import seeding
from ltr.admin import seeding as own


def drawn():
    return random.random(), np.random.rand(), torch.rand(1).item()


@pytest.mark.parametrize('numbers', [(0, 1), (7, 30)])
def test_as_our_own(numbers):
    own.seed_everything(*numbers)
    wanted = drawn()
    seeding.seed_everything(*numbers)
    assert drawn() == wanted


def test_every_epoch_and_loader():
    seen = []
    loaders = [SimpleNamespace(generator=None, dataset=SimpleNamespace(epoch_seed=None)) for _ in range(2)]
    trainer = SimpleNamespace(epoch=3, train_epoch=lambda: seen.append(
        (drawn(), [loader.generator.initial_seed() for loader in loaders],
         [loader.dataset.epoch_seed for loader in loaders])))
    seeding.seed_epochs(trainer, loaders, 5)
    trainer.train_epoch()
    own.seed_everything(5, 3)
    seeds = [own.loader_generator(5, 3, index).initial_seed() for index in (0, 1)]
    assert seen == [(drawn(), seeds, seeds)]


def test_a_trainer_that_knows_of_seeds_is_left_alone():
    trainer = SimpleNamespace(seed=1, train_epoch=print)
    seeding.seed_epochs(trainer, [], 0)
    assert trainer.train_epoch is print


def test_several_processes_are_refused_where_the_trainer_knows_of_none(monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '2')
    with pytest.raises(UserError, match='this toolkit trains in one process'):
        seeding.seed_epochs(SimpleNamespace(epoch=1, train_epoch=print), [], 0)


def test_at_the_start(monkeypatch):
    monkeypatch.setenv('CMD_SEED', '4')
    seeding.seed_at_start()
    found = drawn()
    own.seed_everything(4)
    assert drawn() == found
    monkeypatch.setenv('CMD_SEED', 'four')
    with pytest.raises(UserError, match='CMD_SEED'):
        seeding.seed_at_start()
