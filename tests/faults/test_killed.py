"""Runs that are killed at random moments and started again end as the run that was left alone, bit for bit on the CPU.

`python -m pytest -m slow -s tests/faults/test_killed.py` prints the table of `docs/reliability.md`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltr.admin import checkpoint
from ltr.data.box_text import read_table
from tests.distilling.conftest import network_file
from tests.equality import same
from tests.evaluation.conftest import box_path, write_sequence
from tests.faults import children
from tests.faults.killing import Figures, Task, kill_often, leftovers

pytestmark = pytest.mark.skipif(os.name == 'nt', reason='sends SIGKILL')
FRAMES = 10


@pytest.fixture(scope='module')
def table() -> Iterator[list[Figures]]:
    """Collects the figures, and prints them in the end."""
    collected: list[Figures] = []
    yield collected
    print('\n' + '\n'.join([Figures.TITLE, *map(str, collected)]))


def checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.rglob('*_ep????.pth.tar'))


def all_whole(folder: Path) -> None:
    assert leftovers(folder).total() <= 1
    for path in checkpoints(folder):
        checkpoint.read(path)


def equal_to_whole(folder: Path) -> None:
    ours, whole = checkpoints(folder), checkpoints(folder.parent / 'whole')
    assert [path.name for path in ours] == [path.name for path in whole] and len(whole) > 2
    for path, left_alone in zip(ours, whole, strict=True):
        found, wanted = checkpoint.read(path), checkpoint.read(left_alone)
        assert not [key for key in wanted if not same(found[key], wanted[key])], path


def tiny(place: Path, workers: int = 0) -> Task:
    arguments = ['tiny', 'plain', '--epochs', '6', '--samples', '16', '--seed', '5', '--workers', str(workers)]
    return Task(f'training, {workers} workers', 'train', lambda folder: [*arguments, '--workspace', str(folder)],
                {'PYTRACKING_PLUGINS': 'tiny=tiny_training'}, all_whole, equal_to_whole)


def d3(place: Path, pairs: Path) -> Task:
    arguments = ['cmd_dimp', 'd3', '--init', str(network_file(place)), '--data', str(pairs), '--epochs', '3',
                 '--samples', '4', '--batch', '2', '--seed', '4', '--device', 'cpu', '--workers', '0',
                 '--lr-scale', '1e3']
    return Task('training of cmd_dimp d3', 'train', lambda folder: [*arguments, '--workspace', str(folder)], {},
                all_whole, equal_to_whole)


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob('*.txt')) if not path.name.startswith('.')}


def no_half_result(folder: Path) -> None:
    unfinished = {Path(name).stem.removesuffix('_time') for name in leftovers(folder)} - {'.network'}
    assert len(unfinished) <= 1, 'only the sequence that was being written leaves something: of its boxes, its times'
    for path in folder.rglob('*.txt'):
        assert len(read_table(path, 1 if path.stem.endswith('_time') else 4)) in (FRAMES, 6), path


def boxes_of_whole(folder: Path) -> None:
    ours, whole = results(folder), results(folder.parent / 'whole')
    assert list(ours) == list(whole) and len(whole) > 3
    assert not [name for name in whole if not name.endswith('_time.txt') and ours[name] != whole[name]]


def dummy(place: Path) -> Task:
    for number in range(6):
        write_sequence(place / 'data' / f's{number}', box_path(FRAMES))
    arguments = ['dummy', 'noisy', '--data', str(place / 'data')]
    return Task('tracking, a tracker without network', 'track', lambda folder: [*arguments, '--results', str(folder)],
                {'PYTRACKING_PLUGINS': 'tests=tests.evaluation.dummy_plugin',
                 'PYTRACKING_WORKSPACE_DIR': str(place / 'workspace')}, no_half_result, boxes_of_whole)


def dimp(place: Path, videos: Path) -> Task:
    (place / 'workspace' / 'networks').mkdir(parents=True)
    network_file(place).rename(place / 'workspace' / 'networks' / 'dimp_small.pth.tar')
    arguments = ['dimp', 'dimp_small', '--data', str(videos), '--max-frames', '6']
    return Task('tracking, DiMP', 'track', lambda folder: [*arguments, '--results', str(folder)],
                {'PYTRACKING_WORKSPACE_DIR': str(place / 'workspace')}, no_half_result, boxes_of_whole)


@pytest.mark.slow
def test_the_moments_are_moments_of_writing(tmp_path):
    """Else the tests below would kill beside the point: every kind of moment leaves what it must."""
    task, seen = tiny(tmp_path), set()

    def run(folder: Path, at: int | None = None) -> children.Ended:
        return children.run('train', task.arguments(folder), task.variables, folder, at)
    operations = run(tmp_path / 'whole').operations
    for at in range(operations // 12, operations, operations // 12):
        assert run(tmp_path / f'{at}', at).status == -9
        sizes = [path.stat().st_size for path in (tmp_path / f'{at}').rglob('*.tmp')]
        whole = checkpoints(tmp_path / f'{at}')
        seen.add((len(whole), bool(sizes) and not (whole and sizes[0] >= whole[0].stat().st_size)))
    assert {number for number, _ in seen} >= {0, 1, 3, 5} and {half for _, half in seen} == {True, False}


@pytest.mark.slow
@pytest.mark.parametrize(('workers', 'kills'), [(0, 30), (2, 10)])
def test_training_killed_40_times(tmp_path, table, workers, kills):
    table.append(kill_often(tiny(tmp_path, workers), kills, tmp_path, seed=1))


@pytest.mark.slow
def test_distillation_killed_10_times(tmp_path, world_pairs, table):
    table.append(kill_often(d3(tmp_path, world_pairs), 10, tmp_path, seed=2))


@pytest.mark.slow
def test_tracking_killed_40_times(tmp_path, table):
    table.append(kill_often(dummy(tmp_path), 40, tmp_path, seed=3))


@pytest.mark.slow
def test_tracking_with_a_network_killed_10_times(tmp_path, world_video, table):
    table.append(kill_often(dimp(tmp_path, world_video), 10, tmp_path, seed=4))
