"""Real pairs and real thermal sequences, by the command lines of the README."""

from __future__ import annotations

import os

import numpy as np
import pytest

from cmd_plugin.data import PairedDataset
from ltr.data.image_loader import read_image
from pytracking.evaluation import get_dataset
from tests.system.conftest import TRACK, TRAIN

RESNET18 = 'resnet18_imagenet_to_layer3.safetensors'


@pytest.fixture(scope='module')
def workspace(tmp_path_factory, shared_data):
    return tmp_path_factory.mktemp('real')


@pytest.fixture
def real(command, shared_data, workspace):
    """`real(TRAIN, ...)` in the workspace of this file, and `{pairs}` for a folder of the real data."""
    def run(script: str, *arguments: str):
        filled = [argument.format(data=shared_data) for argument in arguments]
        result = command(script, *filled, PYTRACKING_WORKSPACE_DIR=str(workspace))
        assert result.returncode == 0, result.stderr
        return result
    return run


D3 = (TRAIN, 'cmd_dimp', 'd3', '--net', 'dimp18', '--data', '{data}/pairs', '--init', f'{{data}}/weights/{RESNET18}')


@pytest.fixture
def distilled(real, workspace):
    """A dimp18 that d3 has taught two steps; made once."""
    path = workspace / 'checkpoints' / 'ltr' / 'cmd_dimp' / 'd3' / 'DiMPnet_ep0001.pth.tar'
    if not path.exists():
        result = real(*D3, '--epochs', '1', '--samples', '4', '--batch', '2')
        assert 'pairs: 635 from 5 folders (0 without a twin)' in result.stdout
        assert '[train 1: 2/2] Loss/total ' in result.stdout and 'nan' not in result.stdout
    return path


def test_d3_learns_from_all_pair_sets_at_once(distilled):
    assert distilled.is_file()


def test_real_pairs_of_all_sets_can_be_read(shared_data):
    """Every tenth pair."""
    pairs = PairedDataset(shared_data / 'pairs')
    shapes = {pairs.read(index).shape for index in range(0, len(pairs), 10)}
    assert all(channels == 6 and min(height, width) > 100 for height, width, channels in shapes) and len(shapes) > 4


@pytest.mark.parametrize('number', [0, 100])
def test_real_mot_text_is_tracked_run_by_run(real, distilled, shared_data, number):
    sequence = get_dataset('lsotb_tir', root=shared_data / 'tir_mot')[number]
    result = real(TRACK, 'cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', '{data}/tir_mot',
                  '--sequence', str(number), '--max-frames', '3')
    assert f'network: {distilled} (recipe d3, epoch 1)' in result.stderr
    assert f'cmd_dimp/default, {sequence.name}: 3 frames' in result.stdout
    boxes = np.loadtxt(distilled.parents[4] / 'tracking_results' / 'cmd_dimp' / 'default' / f'{sequence.name}.txt')
    assert boxes.shape == (3, 4) and np.isfinite(boxes).all()
    np.testing.assert_allclose(boxes[0], sequence.ground_truth_rect[0], rtol=1e-6)


def test_all_real_runs_are_indexed(shared_data):
    sequences = get_dataset('lsotb_tir', root=shared_data / 'tir_mot')
    assert len(sequences) == 101 and sequences.protocol == 'lsotb'
    for sequence in sequences:
        assert len(sequence.frames) == len(sequence.ground_truth_rect) >= 50
        assert all(os.path.isfile(frame) for frame in (sequence.frames[0], sequence.frames[-1]))
        height, width = read_image(sequence.frames[0]).shape[:2]
        x, y, w, h = sequence.ground_truth_rect[0]
        assert w > 0 and h > 0 and x < width and y < height and x + w > 0 and y + h > 0, sequence.name


def test_real_sequences_are_tracked_and_tabled(real, distilled):
    result = real(TRACK, 'cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', '{data}/tir', '--max-frames', '3')
    assert 'protocol lsotb, 4 sequences, 12 frames' in result.stdout
    figures = next(line for line in result.stdout.splitlines() if line.startswith('cmd_dimp/default  ')).split()[1:4]
    assert all(0 < float(figure) <= 100 for figure in figures)


@pytest.mark.slow
def test_the_papers_batch_on_real_pairs(real, tmp_path):
    """Batches of five pairs, ten steps in two runs: the second goes on after the first."""
    for epochs in '12':
        result = real(*D3, '--epochs', epochs, '--samples', '25', '--batch', '5', '--workspace', str(tmp_path))
    assert '[train 2: 5/5]' in result.stdout and 'going on after epoch 1' in result.stdout
