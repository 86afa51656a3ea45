"""One seed, one run: the same losses and weights again, in another process, and with any number of workers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ltr.admin import checkpoint
from tests.distilling.conftest import network_file
from tests.equality import same

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == 'nt', reason='uses a fork server')]
if os.name != 'nt':
    from tests.faults import children

OPTIONS = ['--epochs', '2', '--samples', '4', '--batch', '2', '--seed', '4', '--device', 'cpu']
SETTINGS = {'distillation': ['cmd_dimp', 'd3', '--lr-scale', '1e3'], 'DiMP': ['dimp', 'dimp_small'],
            'ATOM': ['bbreg', 'atom_small']}
WORKERS = {'distillation': (0, 1, 2), 'DiMP': (2,), 'ATOM': (1,)}


def trained(setting: str, folder: Path, data: Path, workers: int, seed: int = 4) -> dict[str, Any]:
    """The last checkpoint of a run in a process of its own."""
    init = ['--init', str(network_file(folder.parent))] if setting == 'distillation' else []
    options = [*OPTIONS, '--seed', str(seed), '--workers', str(workers), '--workspace', str(folder)]
    ended = children.run('train', [*SETTINGS[setting], *options, *init, '--data', str(data)], {}, folder)
    assert ended.status == 0, ended.output
    return checkpoint.read(max(folder.rglob('*_ep0002.pth.tar')))


@pytest.mark.parametrize('setting', list(SETTINGS))
def test_two_runs_and_any_number_of_workers(tmp_path, world_pairs, world_video, setting):
    data = world_pairs if setting == 'distillation' else world_video
    first = trained(setting, tmp_path / 'first', data, 0)
    for workers in WORKERS[setting]:
        other = trained(setting, tmp_path / f'again{workers}', data, workers)
        for key in ('stats', 'net', 'optimizer', 'lr_scheduler', 'rng'):
            assert same(other[key], first[key]), (workers, key)
    losses = first['stats']['train']['Loss/total'].history
    print(f'\n{setting}: losses of two epochs {losses[0]!r} {losses[1]!r}')
    assert len(losses) == 2 and not same(trained(setting, tmp_path / 'other', data, 0, seed=5)['stats'], first['stats'])
