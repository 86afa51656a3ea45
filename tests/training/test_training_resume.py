"""A run that is stopped anywhere and started again is the same run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_training import TinyActor, TinyLoader, make_trainer, tiny_net

from ltr import run_training
from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.admin.seeding import capture_rng, derive_seed, drawing, restore_rng, seed_everything
from ltr.trainers import LTRTrainer

REPO = Path(__file__).resolve().parents[2]
STOCK_KEYS = ['epoch', 'actor_type', 'net_type', 'net', 'net_info', 'constructor', 'optimizer', 'stats',
              'settings']


def newest(folder: Path) -> dict[str, Any]:
    path = checkpoint.newest(folder / 'checkpoints' / 'ltr' / 'tiny' / 'plain', 'TinyNet')
    assert path is not None
    return checkpoint.read(path)


@pytest.mark.parametrize('workers', [0, 2])
def test_killed_run_ends_with_the_same_weights(tmp_path, same, workers):
    """SIGKILL in the middle of epoch 3 of 4, then the same command again, against a run that was left
    alone."""
    command = ['tiny', 'plain', '--epochs', '4', '--samples', '16', '--seed', '5', '--workers', str(workers)]
    killed = [*command, '--workspace', str(tmp_path / 'killed')]
    environment = {**os.environ, 'TINY_KILL_AT': '3:2', 'OMP_NUM_THREADS': '1',
                   'PYTHONPATH': str(Path(__file__).parent)}
    process = subprocess.run([sys.executable, str(REPO / 'ltr' / 'run_training.py'), *killed],
                             env=environment, capture_output=True, text=True, timeout=120)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert newest(tmp_path / 'killed')['epoch'] == 2
    run_training.main(killed)
    run_training.main([*command, '--workspace', str(tmp_path / 'whole')])
    resumed, whole = newest(tmp_path / 'killed'), newest(tmp_path / 'whole')
    assert whole['epoch'] == 4
    for key in (*STOCK_KEYS, 'lr_scheduler', 'rng'):
        assert same(resumed[key], whole[key]), key


def test_seed_decides(tmp_path, same):
    def train(seed: int, name: str) -> dict[str, Any]:
        run_training.main(['tiny', 'plain', '--seed', str(seed), '--workspace', str(tmp_path / name)])
        return newest(tmp_path / name)['net']
    first = train(1, 'a')
    assert same(first, train(1, 'b'))
    assert not same(first, train(2, 'c'))


def test_checkpoint_has_the_stock_keys(settings, capsys):
    trainer = make_trainer(settings)
    trainer.train(2)
    path = trainer.checkpoint_dir / 'TinyNet_ep0002.pth.tar'
    contents = checkpoint.read(path)
    assert list(contents) == [*STOCK_KEYS, 'lr_scheduler', 'rng']
    assert (contents['epoch'], contents['actor_type'], contents['net_type']) == (2, 'TinyActor', 'TinyNet')
    assert contents['constructor'].fun_name == 'tiny_net'
    assert len(contents['stats']['train']['Loss/total'].history) == 2
    assert contents['stats']['train']['LearningRate/group0'].history == [0.02, 0.02]
    output = capsys.readouterr().out
    assert output.count(str(trainer.checkpoint_dir)) == 2  # folder at the start, file at the end
    assert output.rstrip().endswith(str(path))


def test_resume_restores_everything(settings, same):
    seed_everything(0)
    trainer = make_trainer(settings)
    trainer.train(3)
    whole = checkpoint.read(trainer.checkpoint_path(3))
    other = make_trainer(settings)  # other initial weights
    assert other.load_checkpoint(2)
    assert other.epoch == 2 and other.lr_scheduler.last_epoch == 2
    assert same(capture_rng(), checkpoint.read(trainer.checkpoint_path(2))['rng'])
    other.checkpoint_path(3).unlink()
    other.train(3, load_latest=True)
    again = checkpoint.read(other.checkpoint_path(3))
    assert all(same(whole[key], again[key]) for key in whole)


def test_an_epoch_depends_on_seed_and_number_alone(settings, same):
    """Not on what drew random numbers before: files of the stock toolkit hold no state of generators."""
    trainer = make_trainer(settings)
    trainer.train(3)
    other = make_trainer(settings)
    other.load_checkpoint(2, ignore_fields=['rng'])
    seed_everything(123)
    other.train(3)
    assert same(trainer.actor.net.state_dict(), other.actor.net.state_dict())


class Masters:
    """An optimiser that is none of torch's: float64 copies of the weights take the steps."""

    def __init__(self, parameters: Any) -> None:
        self.weights = list(parameters)
        self.masters = [weight.detach().double().clone() for weight in self.weights]
        self.param_groups = [{'lr': 1e-9}]

    def zero_grad(self) -> None:
        for weight in self.weights:
            weight.grad = None

    def step(self) -> None:
        with torch.no_grad():
            for master, weight in zip(self.masters, self.weights, strict=True):
                master -= self.param_groups[0]['lr'] * weight.grad.double().sign()
                weight.copy_(master)

    def state_dict(self) -> dict[str, Any]:
        return {'masters': [master.clone() for master in self.masters]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for master, value in zip(self.masters, state['masters'], strict=True):
            master.copy_(value)


def test_any_optimiser_with_the_five_methods(settings, same):
    def trainer() -> LTRTrainer:
        net = tiny_net()
        return LTRTrainer(TinyActor(net), [TinyLoader()], Masters(net.parameters()), settings)
    first = trainer()
    first.train(3)
    whole = checkpoint.read(first.checkpoint_path(3))
    first.checkpoint_path(3).unlink()
    trainer().train(3, load_latest=True)
    again = checkpoint.read(first.checkpoint_path(3))
    assert same(whole['optimizer'], again['optimizer']) and same(whole['net'], again['net'])
    assert not same(whole['optimizer'], checkpoint.read(first.checkpoint_path(1))['optimizer'])


def test_a_stock_checkpoint_without_scheduler_state(settings):
    trainer = make_trainer(settings)
    trainer.train(2)
    contents = checkpoint.read(trainer.checkpoint_path(2))
    checkpoint.save(trainer.checkpoint_path(2), {key: contents[key] for key in STOCK_KEYS})
    other = make_trainer(settings)
    assert other.load_checkpoint()
    assert other.lr_scheduler.last_epoch == 2 and other.optimizer.param_groups[0]['lr'] == 0.01


def test_fields_of_load_checkpoint(settings, same):
    trainer = make_trainer(settings)
    trainer.train(1)
    other = make_trainer(settings)
    other.load_checkpoint(fields=['net'])
    assert same(other.actor.net.state_dict(), trainer.actor.net.state_dict())
    assert other.epoch == 0 and not other.optimizer.state_dict()['state']
    other = make_trainer(settings)
    other.load_checkpoint(trainer.checkpoint_path(1), ignore_fields=['net'])
    assert not same(other.actor.net.state_dict(), trainer.actor.net.state_dict())
    assert other.epoch == 1 and other.optimizer.state_dict()['state']


def test_checkpoints_of_another_run(settings):
    trainer = make_trainer(settings)
    assert not trainer.load_checkpoint()
    with pytest.raises(UserError, match=r'no checkpoint of epoch 3.*TinyNet_ep0003'):
        trainer.load_checkpoint(3)
    trainer.train(1)
    path = trainer.checkpoint_path(1)
    contents = checkpoint.read(path)
    for changes, message in (({'net_type': 'DiMPnet'}, 'is of a DiMPnet, not of a TinyNet'),
                             ({'net': tiny_net(7).state_dict()}, 'of another network'),
                             ({'optimizer': torch.optim.Adam(trainer.actor.net.parameters()).state_dict()},
                              'another optimiser or other trained weights')):
        checkpoint.save(path, {**contents, **changes})
        with pytest.raises(UserError, match=message):
            make_trainer(settings).load_checkpoint()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r'TinyNet_ep0001.*truncated'):
        make_trainer(settings).train(2, load_latest=True)


def test_resume_with_other_settings_is_told(settings, capsys):
    make_trainer(settings).train(1)
    settings.seed, settings.batch = 9, 2
    make_trainer(settings).train(2, load_latest=True)
    assert 'seed 0 -> 9; batch None -> 2' in capsys.readouterr().out
    make_trainer(settings).train(2, load_latest=True)
    assert 'nothing to do: epoch 2 of 2 is done' in capsys.readouterr().out


def test_generators_round_trip():
    def draw() -> list[float]:
        import random
        return [random.gauss(0, 1), np.random.randn(), torch.rand(()).item()]
    seed_everything(3, 4)
    draw()  # an odd number of normals leaves one cached in Python's and numpy's generators
    state = capture_rng()
    first = draw()
    restore_rng(state)
    assert draw() == first
    assert draw() != first


def test_epochs_and_workers_have_seeds_of_their_own():
    assert len({derive_seed(seed, epoch) for seed in range(20) for epoch in range(20)}) == 400
    seed_everything(0, 1)
    first = np.random.rand()
    seed_everything(0, 2)
    assert np.random.rand() != first


def test_drawing_leaves_no_trace():
    def draw() -> tuple[float, float, float]:
        return random.gauss(0, 1), np.random.randn(), torch.rand(()).item()
    seed_everything(3)
    wanted = draw(), draw()
    seed_everything(3)
    found = [draw()]
    with drawing(7):
        inside = draw()
    found.append(draw())
    assert tuple(found) == wanted
    with drawing(7):
        assert draw() == inside
    with drawing(8):
        assert all(a != b for a, b in zip(draw(), inside, strict=True))
