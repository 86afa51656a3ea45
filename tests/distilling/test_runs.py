"""Runs of recipes as the command makes them: what they change, and how they resume."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest
import torch

from cmd_plugin import checkpoints
from cmd_plugin.errors import UserError
from cmd_plugin.recipes import RECIPES
from tests.conftest import REPO
from tests.distilling.conftest import make, network_file, same, small_net, state_of

pytestmark = pytest.mark.usefixtures('no_settings')


def test_a_run_does_not_go_on_under_another_teacher(workspace, world_pairs, tmp_path):
    """Else the checkpoint would say d3 of one parent and be half of another."""
    path = make('c1', workspace, init=network_file(tmp_path, 0), data=[world_pairs])
    before = path.read_bytes()
    with pytest.raises(UserError, match=re.escape(f'{path} was trained under another parent')):
        make('c1', workspace, init=network_file(tmp_path, 1), data=[world_pairs], epochs=2)
    assert checkpoints.newest('c1') == path and path.read_bytes() == before
    assert make('c1', workspace, init=network_file(tmp_path, 0), data=[world_pairs], epochs=2).name[-12:-8] == '0002'


def test_a_run_does_not_go_on_when_its_ancestors_were_made_anew(workspace, world_pairs, tmp_path):
    make('a1', workspace, init=network_file(tmp_path, 0))
    for name in ('b1', 'b2', 'c1'):
        make(name, workspace, data=[world_pairs])
    make('b3', workspace)
    path = make('d1', workspace, data=[world_pairs])
    make('b1', workspace, data=[world_pairs], epochs=2), make('b3', workspace)
    with pytest.raises(UserError, match=re.escape(f'{path} began from other weights of b3 and c1 than those')):
        make('d1', workspace, data=[world_pairs], epochs=2)


def test_a_run_that_goes_on_with_another_loss_says_so(workspace, world_pairs, tmp_path, monkeypatch, capsys):
    init = network_file(tmp_path)
    make('c1', workspace, init=init, data=[world_pairs])
    assert 'other options' not in capsys.readouterr().out
    monkeypatch.setenv('CMD_MU', '0.5')
    make('c1', workspace, init=init, data=[world_pairs], epochs=2)
    assert 'was made with other options (mu 0.0 -> 0.5)' in capsys.readouterr().out


def test_d5_without_boxes_says_how_to_make_them(workspace, world_pairs, tmp_path):
    with pytest.raises(UserError, match=r'detection needs boxes: .* cmd_plugin detect .*CMD_BOXES'):
        make('d5', workspace, init=network_file(tmp_path), data=[world_pairs])


def test_d4_trains_on_squares_anywhere(workspace, world_pairs, tmp_path):
    path = make('d4', workspace, init=network_file(tmp_path), data=[world_pairs])
    assert checkpoints.load(path)[1]['net_info']['options']['pseudo_box'] == 'random_sampling'


def test_steps_of_2e_8_change_the_saved_float32_weights(workspace, world_pairs, tmp_path):
    """d3 at the paper's own rates, eight steps: every trained tensor of the file has moved, and nothing else."""
    init = network_file(tmp_path)
    after = state_of(make('d3', workspace, init=init, data=[world_pairs], samples=16, lr_scale=1.0))
    before = small_net().state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    trained = {key for group in RECIPES['cmd_dimp']['d3'].trained(small_net()).values() for key in group}
    assert changed == trained
    assert all(value.dtype == before[key].dtype for key, value in after.items())
    ones = 'classifier.filter_optimizer.spatial_weight_predictor.weight'
    assert 0 < (after[ones] - before[ones]).abs().max() < 3e-7


KILL_IN_EPOCH_2 = """
import os, signal, sys
from cmd_plugin.actor import CrossModalActor
from ltr.run_training import main
call = CrossModalActor.__call__
def killing(self, data):
    if data['epoch'] == 2:
        self.net.seen = getattr(self.net, 'seen', 0) + 1
        if self.net.seen == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    return call(self, data)
CrossModalActor.__call__ = killing
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends SIGKILL')
@pytest.mark.parametrize('workers', ['0', '2'])
def test_a_killed_d3_ends_bit_identical(tmp_path, world_pairs, workers):
    """SIGKILL in the second step of epoch 2 of 3, the same command again, against a run that was left alone."""
    arguments = ['cmd_dimp', 'd3', '--init', str(network_file(tmp_path)), '--data', str(world_pairs), '--epochs', '3',
                 '--samples', '6', '--batch', '2', '--seed', '4', '--device', 'cpu', '--workers', workers]
    script = [sys.executable, str(REPO / 'ltr' / 'run_training.py')]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}

    def run(command: list[str], name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments, '--workspace', str(tmp_path / name)], env=environment, cwd=REPO,
                              capture_output=True, text=True, timeout=200)
    killed = run([sys.executable, '-c', KILL_IN_EPOCH_2], 'killed')
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folders = {name: tmp_path / name / 'checkpoints' / 'ltr' / 'cmd_dimp' / 'd3' for name in ('killed', 'whole')}
    assert [path.name for path in folders['killed'].glob('*_ep*')] == ['DiMPnet_ep0001.pth.tar']
    resumed = run(script, 'killed')
    assert 'going on after epoch 1' in resumed.stdout and resumed.returncode == 0, resumed.stderr
    assert run(script, 'whole').returncode == 0
    ends = [checkpoints.load(folder / 'DiMPnet_ep0003.pth.tar')[1] for folder in folders.values()]
    assert same(*(end['net'] for end in ends))
    masters = [end['optimizer']['master'] for end in ends]
    assert masters[0][0].dtype == torch.float64
    assert all(torch.equal(a, b) for a, b in zip(*masters, strict=True))
    assert ends[0]['lr_scheduler'] == ends[1]['lr_scheduler']
