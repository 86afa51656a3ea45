"""Several processes learn as one does: numerical parity is the key requirement."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ltr import run_training
from ltr.admin import checkpoint, distributed
from ltr.admin.errors import UserError
from ltr.data import LTRLoader
from tests.conftest import REPO
from tests.distilling.conftest import network_file

SCRIPT = REPO / 'ltr' / 'run_training.py'
SHORT = ['--batch', '4', '--samples', '8', '--workers', '0', '--device', 'cpu', '--seed', '3']


def torchrun(script: Path, arguments: list[str], processes: int = 2) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', str(processes),
               str(script), *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300,
                          env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(REPO)})


def errors(output: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in output.stderr.splitlines() if line.startswith('error: ')]


def newest(folder: Path, setting: list[str]) -> dict[str, Any]:
    path = checkpoint.newest(folder / 'checkpoints' / 'ltr' / setting[0] / setting[1])
    assert path is not None
    return checkpoint.read(path)


@pytest.mark.slow
@pytest.mark.parametrize('setting', [['cmd_dimp', 'd3'], ['dimp', 'dimp_small']], ids=' '.join)
def test_one_two_and_one_process_are_one(tmp_path, world_pairs, world_video, setting, monkeypatch):
    """Epochs 1 and 3 in one process, 2 in two of them, against a run of three epochs in one."""
    monkeypatch.delenv('PYTRACKING_PLUGINS')
    # A young Adam makes whole steps of the rounding of tiny gradients: few of them, or small ones, keep losses equal.
    given = {'d3': ['--init', str(network_file(tmp_path)), '--data', str(world_pairs), '--lr-scale', '1e3'],
             'dimp_small': ['--data', str(world_video), '--lr-scale', '1e-3']}[setting[1]]
    command = [*setting, *given, *SHORT]
    run_training.main([*command, '--epochs', '3', '--workspace', str(tmp_path / 'whole')])
    mixed = [*command, '--workspace', str(tmp_path / 'mixed')]
    run_training.main([*mixed, '--epochs', '1'])
    shared = torchrun(SCRIPT, [*mixed, '--epochs', '2'])
    assert shared.returncode == 0, shared.stderr
    # One voice, also on what settings modules print, and one writer.
    assert shared.stdout.count('going on after epoch 1') == shared.stdout.count('final checkpoint') == 1
    run_training.main([*mixed, '--epochs', '3'])
    whole, parts = (newest(tmp_path / name, setting) for name in ('whole', 'mixed'))
    assert whole['epoch'] == parts['epoch'] == 3 and list(whole['net']) == list(parts['net'])
    for name, meter in whole['stats']['train'].items():
        assert meter.history == pytest.approx(parts['stats']['train'][name].history, rel=1e-5), name
    losses = whole['stats']['train']['Loss/total'].history
    assert len({round(loss, 4) for loss in losses}) == 3
    gradients, of_parts = (torch.cat([state['exp_avg'].flatten() for state in ends['optimizer']['state'].values()])
                           for ends in (whole, parts))
    assert (of_parts - gradients).norm() < 1e-3 * gradients.norm()


ENDING = """
import os, signal, sys
from ltr.actors import BaseActor
from ltr.admin.errors import UserError, cli
from ltr.run_training import main
from ltr.trainers import LTRTrainer
step = LTRTrainer._step
def ending(self, data, loader, number):
    if os.environ['RANK'] == '1':
        if 'kill' in os.environ['ENDING']:
            os.kill(os.getpid(), signal.SIGKILL)
        raise UserError('the disk of process 1 is full')
    return step(self, data, loader, number)
LTRTrainer._step = ending
cli(main)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends SIGKILL')
@pytest.mark.parametrize(('ending', 'told'), [('error', 'the disk of process 1 is full'), ('kill', distributed.LOST)])
def test_one_process_that_fails_ends_all_with_one_line(tmp_path, world_pairs, ending, told, monkeypatch):
    monkeypatch.setenv('ENDING', ending)
    monkeypatch.delenv('PYTRACKING_PLUGINS')
    script = tmp_path / 'ending.py'
    script.write_text(ENDING)
    ended = torchrun(script, ['cmd_dimp', 'd3', '--init', str(network_file(tmp_path)), '--data', str(world_pairs),
                              *SHORT, '--workspace', str(tmp_path / 'ended')])
    # Of a process that was killed the others know, or torchrun does, and stops them before they ask.
    told_by_us = errors(ended) or [line for line in ended.stderr.splitlines() if line.startswith('stopped in epoch 1')]
    assert ended.returncode != 0 and len(told_by_us) == 1, ended.stderr
    assert told_by_us[0] == f'error: {told}' or (ending == 'kill' and told_by_us[0].startswith('stopped')), ended.stderr
    assert not list(tmp_path.rglob('*_ep*.pth.tar'))


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused_once(tmp_path, world_pairs, monkeypatch):
    monkeypatch.delenv('PYTRACKING_PLUGINS')
    ended = torchrun(SCRIPT, ['cmd_dimp', 'd3', '--init', str(network_file(tmp_path)), '--data', str(world_pairs),
                              *SHORT, '--batch', '3', '--workspace', str(tmp_path / 'refused')])
    assert ended.returncode != 0 and len(errors(ended)) == 1, ended.stderr
    assert "loader 'train': a batch of 3 cannot be shared by 2 processes; give a multiple of 2" in errors(ended)[0]


PARTS = """
import torch
from torch import nn
from ltr.admin import distributed
from ltr.admin.errors import UserError
from ltr.models.layers.synced_norm import sync_batch_norms

def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4),
                         nn.BatchNorm1d(4, momentum=None, affine=False), nn.Linear(4, 1)).double()

def learn(net, x, y):
    for _ in range(2):
        loss = (net(x) - y).square().mean()
        loss.backward()
    return loss

whole, shared, rows = net(), net(), torch.randn(6, 2, 6, 6).double() * 3 + 1
target = torch.randn(6, 1).double()
wanted = learn(whole, rows, target)
with distributed.session():
    me, all_of_us = distributed.rank(), distributed.world()
    sync_batch_norms(shared)
    mine = slice(3 * me, 3 * me + 3)
    loss = learn(shared, rows[mine], target[mine])
    shared[6].bias.grad = None
    distributed.average_gradients(shared.parameters())
    assert shared[6].bias.grad is None
    torch.testing.assert_close(distributed.mean(loss.detach()), wanted.detach())
    for (name, a), b in zip(shared.named_parameters(), whole.parameters()):
        if name != '6.bias':
            torch.testing.assert_close(a.grad, b.grad, msg=name)
    for (name, a), b in zip(shared.named_buffers(), whole.buffers()):
        torch.testing.assert_close(a, b, msg=name)
    torch.testing.assert_close(shared.eval()(rows), whole.eval()(rows))
    few = torch.arange(4 - 3 * me).double() ** 2  # 4 elements and 1: means of unequal parts
    part = few.mean() * distributed.weight_of(len(few))
    assert abs(distributed.means({'a': part.item()})['a'] - (0 + 1 + 4 + 9 + 0) / 5) < 1e-12
    assert distributed.weight_of(0) == 1.0
    distributed.check_equal('numbers', [1.0, 2.0])
    try:
        distributed.check_equal('numbers', [1.0, float(me)])
    except UserError as error:
        assert 'do not have the same numbers' in str(error)
    else:
        raise AssertionError('unequal numbers passed')
    weight = nn.Parameter(torch.zeros(2))  # has a gradient in one process alone
    weight.grad = torch.ones(2) if me else None
    distributed.average_gradients([weight])
    assert weight.grad.tolist() == [0.5, 0.5]
    print('equal in', all_of_us, flush=True)
"""


@pytest.mark.slow
def test_gradients_norms_and_means_are_those_of_the_whole_batch(tmp_path, monkeypatch):
    script = tmp_path / 'parts.py'
    script.write_text(PARTS)
    result = torchrun(script, [])
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ['equal in 2']


def test_a_single_process_is_left_alone():
    weight = torch.nn.Parameter(torch.zeros(2))
    distributed.average_gradients([weight])
    assert weight.grad is None and distributed.weight_of(3) == 1.0 and distributed.means({'a': 2.0}) == {'a': 2.0}
    assert (distributed.rank(), distributed.world()) == (0, 1)
    assert distributed.own_device(torch.device('cuda', 1)) == torch.device('cuda', 1)
    with distributed.session():
        assert not torch.distributed.is_initialized()


@pytest.fixture
def of_two(monkeypatch):
    monkeypatch.setattr(distributed, 'world', lambda: 2)
    monkeypatch.setattr(distributed, 'rank', lambda: 1)


@pytest.mark.parametrize(('name', 'found', 'said'), [
    ('mps', 0, 'cannot share the device mps: give --device cpu or --device cuda'),
    ('cuda:1', 2, 'cannot share the device cuda:1'), ('cuda', 1, 'has 1 GPUs for more processes')])
def test_devices_that_processes_cannot_share(of_two, monkeypatch, name, found, said):
    monkeypatch.setenv('LOCAL_RANK', '1')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: found)
    with pytest.raises(UserError, match=re.escape(said)):
        distributed.own_device(torch.device(name))


def test_batches_that_processes_cannot_share(of_two):
    with pytest.raises(UserError, match="'x': a batch of 3 cannot be shared by 2 processes"):
        LTRLoader('x', range(12), batch_size=3)
    with pytest.raises(UserError, match=r"'x': a batch of 1 cannot be shared .* drop a smaller last one"):
        LTRLoader('x', range(13), batch_size=4)
    assert len(LTRLoader('x', range(13), batch_size=4, drop_last=True)) == 3
    with pytest.raises(UserError, match='a batch of 3 cannot be shared'):
        list(LTRLoader('x', range(13), batch_sampler=[[1, 2], [3, 4, 5]]))


def test_a_loader_that_does_not_share_is_refused(of_two, settings):
    from tiny_training import make_trainer
    with pytest.raises(UserError, match="loader 'train' cannot be shared by several processes: it is no LTRLoader"):
        make_trainer(settings)


def test_a_mean_over_shown_frames_is_weighted_by_their_number(monkeypatch):
    """PrDiMP's box loss leaves frames without the target out, of which processes may have unequally many."""
    from ltr.actors.kl_dimp import NOWHERE, KLDiMPActor
    asked: list[int] = []
    monkeypatch.setattr(distributed, 'weight_of', lambda count: asked.append(count) or 0.5)
    losses = {'test_clf': torch.nn.MSELoss(), 'box': lambda scores, *more: scores.mean()}
    actor = KLDiMPActor(torch.nn.Identity(), losses)
    anno = torch.tensor([[[NOWHERE + 1, 0, 0, 0], [1.0, 2, 3, 4], [1, 2, 3, 4]]])
    data = {'test_anno': anno, 'proposal_density': torch.ones(1, 3, 2), 'gt_density': torch.ones(1, 3, 2)}
    scores = torch.tensor([[[9.0, 9], [1, 2], [3, 4]]])
    assert actor._box_loss(scores, data).item() == 0.5 * 2.5
    data['test_anno'] = anno[:, :1].expand(1, 3, 4)
    assert actor._box_loss(scores, data).item() == 0  # asks all the same: the others wait for its answer
    assert asked == [2, 0]
