"""Table 1 whole on real pairs and real thermal sequences: ten rows, few steps, by the commands that a person types."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.system.conftest import Result, clean_environment

ROWS = ('a1', 'b1', 'b2', 'b3', 'c1', 'd1', 'd2', 'd3', 'd4', 'd5')
FRAMES = 16  # of each sequence; 40 would take a quarter of an hour on two cores
SEQUENCES = ('horse', 'uav_04', 'uav_18', 'uav_40', '4', '14', '24', '34', '44', '54', '64', '74')


def run(folder: Path, *arguments: object) -> Result:
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin', *map(str, arguments)], cwd=folder, text=True,
                            capture_output=True, timeout=2400, env=clean_environment(PYTHONPATH=str(REPO)))
    assert result.returncode == 0, result.stderr
    return result


@pytest.mark.slow
def test_ten_rows_on_real_data(tmp_path, shared_data):
    run(tmp_path, 'detect', '--pairs', shared_data / 'pairs', '--out', 'boxes.json', '--model',
        shared_data / 'weights' / 'yolox_nano_coco.onnx')
    out = run(tmp_path, 'table1', '--net', 'dimp18', '--data', shared_data / 'pairs', '--boxes', 'boxes.json', '--init',
              shared_data / 'weights' / 'resnet18_imagenet_to_layer3.safetensors', '--epochs', 1, '--samples', 10,
              '--lr-scale', 100, '--workers', 0, '--device', 'cpu', '--dataset-path', shared_data / 'tir',
              '--dataset-path', shared_data / 'tir_mot', '--sequences', *SEQUENCES, '--max-frames', FRAMES, '--threads',
              2, '--workspace', 'ws').stdout
    assert 'left out' not in out and 'nan' not in out
    assert out.count('[train 1: 2/2] Loss/total ') == 8, 'all but a1 and b3 train'
    table = [re.split(r'\s{2,}', line) for line in out[out.rindex('Row  '):].splitlines()[2:12]]
    assert tuple(line[0] for line in table) == ROWS
    figures = [[float(value) for value in line[4::2]] for line in table]
    assert all(0 < value <= 100 for values in figures for value in values)
    assert len({tuple(values) for values in figures}) > 5, 'other weights track otherwise'
    assert f'protocol lsotb, {len(SEQUENCES)} sequences, {len(SEQUENCES) * FRAMES} frames, seed 0' in out
    networks = {path.parent.name: path for path in (tmp_path / 'ws').rglob('DiMPnet_ep0001.pth.tar')}
    assert set(networks) == set(ROWS)
