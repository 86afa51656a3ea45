"""`table1` on a small network: what is missing is made in order, what is finished is kept, the paper's beside."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pytest

from cmd_plugin import checkpoints, cli
from cmd_plugin.data.box_coco import read_coco
from cmd_plugin.errors import UserError
from cmd_plugin.recipes import RECIPES
from cmd_plugin.table1.arguments import add_arguments
from cmd_plugin.table1.paper import PAPER
from cmd_plugin.table1.plan import chosen_rows, workspaces
from cmd_plugin.table1.report import table
from cmd_plugin.table1.world_boxes import PER_SCENE, boxes_of, write_world_boxes
from cmd_plugin.world import SIZE, write_pairs, write_video
from cmd_plugin.world.plan import plan_world, stream
from cmd_plugin.world.render import film, silhouette
from cmd_plugin.world.write import SCENE_STRIDE
from ltr.data.image_loader import read_image
from tests.distilling.conftest import network_file

PAPER_TABLE_1 = {'a1': '66.2 78.7 70.7', 'b1': '67.4 80.4 72.1', 'b2': '67.2 80.1 71.9', 'b3': '67.8 80.8 72.5',
                 'c1': '67.7 80.7 72.5', 'd1': '67.1 79.7 71.8', 'd2': '67.6 80.6 72.3', 'd3': '68.0 80.8 72.7',
                 'd4': '67.3 80.2 72.1', 'd5': '67.5 80.4 72.3'}


pytestmark = pytest.mark.usefixtures('clean')


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp('video') / 'tir', 'tir', sequences=2, length=8, progress=False)


def arguments(*given: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(list(map(str, given)))


def run(capsys, *given: object) -> str:
    assert cli.main(['table1', *map(str, given)]) == 0
    return capsys.readouterr().out


def stages(out: str) -> list[str]:
    return re.findall(r'^== \w+, seed \d+: (.*)$', out, flags=re.M)


def cells(out: str, row: str) -> list[str]:
    return re.split(r'\s{2,}', next(line for line in out.splitlines() if line.startswith(f'{row}  ')))


SHORT = ('--epochs', 1, '--samples', 4, '--batch', 2, '--workers', 0, '--device', 'cpu', '--lr-scale', 1000)


def test_published_figures():
    assert {row: ' '.join(f'{value:.1f}' for value in values) for row, values in PAPER['cmd_dimp'].items()} == \
        PAPER_TABLE_1
    assert PAPER['cmd_atom'] == {'a1': (59.3, 72.7, 64.5), 'b3': (61.6, 75.4, 67.0)}
    gain = np.subtract(PAPER['cmd_atom']['b3'], PAPER['cmd_atom']['a1'])
    np.testing.assert_allclose(gain, (2.3, 2.7, 2.5), atol=1e-6)
    assert all(set(PAPER[tracker]) <= set(RECIPES[tracker]) for tracker in PAPER)


@pytest.mark.parametrize(('tracker', 'row', 'ancestors'), [('cmd_dimp', 'd1', ['b1', 'b2', 'b3', 'c1']),
                                                           ('cmd_atom', 'b3', ['b1', 'b2'])])
def test_ancestors_are_made_and_the_asked_for_rows_are_tracked(capsys, tmp_path, world_pairs, video, tracker, row,
                                                              ancestors):
    common = ('--tracker', tracker, '--rows', row, 'a1', '--dataset-path', video, '--max-frames', 4, *SHORT)
    out = run(capsys, *common, '--init', network_file(tmp_path, tracker=tracker), '--data', world_pairs)
    made = [stage.split(':')[0] for stage in stages(out) if 'tracking' not in stage and stage != 'result']
    assert made == ['a1', *ancestors, row]
    assert [stage for stage in stages(out) if 'tracking' in stage] == [
        f'{name}: tracking 2 sequences with {checkpoints.newest(name, tracker).name}' for name in ('a1', row)]
    for name in ('a1', row):
        assert cells(out, name)[5::2] == [f'({value:.1f})' for value in PAPER[tracker][name]]
        assert all(0 <= float(figure) <= 100 for figure in cells(out, name)[4::2])
    assert f'{tracker}: protocol lsotb, 2 sequences, 8 frames, seed 0; x 100' in out
    assert 'in brackets: published figures' in out
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / 'ws').rglob('*') if path.is_file()
             and 'tensorboard' not in path.parts and path.name != 'network.json'}
    again = run(capsys, *common, '--init', network_file(tmp_path, tracker=tracker), '--data', world_pairs)
    assert {path: path.stat().st_mtime_ns for path in files} == files, 'finished networks and results are kept'
    assert again.count('0 sequences run, 2 were finished before') == 2
    assert cells(again, row) == cells(out, row)
    only = run(capsys, *common)
    assert re.search(r'b1: .*ep0001\.pth\.tar is kept', only) and cells(only, row) == cells(out, row)


def test_several_seeds_lie_apart_and_give_mean_and_spread(capsys, tmp_path, world_pairs, video):
    out = run(capsys, '--rows', 'c1', '--init', network_file(tmp_path), '--data', world_pairs, '--dataset-path', video,
              '--sequences', 1, '--max-frames', 3, '--seeds', 2, '--seed', 4, *SHORT)
    assert 'mean +- standard deviation over seeds 4, 5' in out
    assert all(re.fullmatch(r'\d+\.\d \+- \d+\.\d', figure) for figure in cells(out, 'c1')[4::2])
    assert {path.name for path in (tmp_path / 'ws').iterdir()} == {'seed_4', 'seed_5'}
    assert workspaces(arguments('--workspace', tmp_path / 'w')) == {0: tmp_path / 'w'}


def test_d5_takes_boxes_and_is_left_out_without(capsys, tmp_path):
    assert chosen_rows('cmd_dimp', None, None) == ('a1', 'b1', 'b2', 'b3', 'c1', 'd1', 'd2', 'd3', 'd4')
    assert 'left out: d5, which needs boxes of a detector (--boxes)' in capsys.readouterr().out
    assert chosen_rows('cmd_dimp', None, tmp_path)[-1] == 'd5' and capsys.readouterr().out == ''
    assert chosen_rows('cmd_dimp', ['d3', 'control', 'a1'], None) == ('a1', 'd3', 'control')
    assert chosen_rows('cmd_atom', None, None) == ('a1', 'b1', 'b2', 'b3')


@pytest.mark.parametrize(('given', 'message'), [
    (['--rows', 'b1', 'd33'], "unknown row of cmd_dimp 'd33': did you mean 'd3'"),
    (['--tracker', 'cmd_atom', '--rows', 'c1'], "unknown row of cmd_atom 'c1'"),
    (['--tracker', 'cmd_siamfc'], "unknown tracker 'cmd_siamfc'"),
    (['--tracker', 'cmd_dimp', '--tracker', 'cmd_atom'], 'run table1 once for each --tracker'),
    (['--rows', 'd5'], 'd5 needs boxes of a detector'),
    (['--dataset', 'lsotb'], "unknown data set 'lsotb': did you mean 'lsotb_tir'"),
    (['--dataset-path', 'gone'], 'does not exist: gone'),
    (['--dataset-path', '{video}', '--dataset-path', '{video}'], 'occurs twice in the folders'),
    (['--dataset-path', '{video}', '--sequences', '7'], 'sequence 7 does not exist: there are 2'),
    (['--dataset-path', '{video}', '--sequences', 'horse'], "unknown sequence 'horse'"),
    (['--dataset-path', '{video}', '--protocol', 'lsot'], "protocol 'lsot'"),
    (['--dataset-path', '{video}', '--rows', 'b1'], 'a1 is the RGB parent: give its checkpoint with --init'),
    (['--world', '--init', 'x', '--max-frames', '3'], 'leave --init, --max-frames out'),
    (['--world', '--rows', 'd3'], "unknown row of cmd_atom 'd3'"),
    (['--world', '--protocol', 'lsot'], "protocol 'lsot'"),
])
def test_a_mistake_is_told_before_anything_is_made(given, message, video, tmp_path):
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        cli.main(['table1', *(str(argument).format(video=video) for argument in given)])
    assert '\n' not in str(caught.value) and not list(tmp_path.rglob('*.pth.tar'))


def test_another_parent_than_that_of_the_workspace_is_refused(capsys, tmp_path, world_pairs, video):
    common = ('--rows', 'c1', '--data', world_pairs, '--dataset-path', video, '--max-frames', 2, *SHORT)
    run(capsys, *common, '--init', network_file(tmp_path, 0))
    with pytest.raises(UserError, match='is another parent, from which c1 here were made: choose another --workspace'):
        run(capsys, *common, '--init', network_file(tmp_path, 1))


class Result:
    """As much of a `TrackerResult` as a table needs."""

    def __init__(self, *values: float) -> None:
        self.result = self
        self.protocol = argparse.Namespace(name='lsotb', measures=('success', 'precision'))
        self.sequences, self.frames = ['a', 'b'], np.array([3, 4])
        self.values = dict(zip(self.protocol.measures, values, strict=True))

    def figure(self, name: str) -> float:
        return self.values[name]


def test_the_table_of_two_seeds_with_a_measure_that_the_protocol_lacks():
    lines = table('cmd_atom', [{'a1': Result(0.5, 0.25), 'b1': Result(0.4, 0.3)},
                               {'a1': Result(0.7, 0.25), 'b1': Result(0.4, 0.3)}], [0, 1]).splitlines()
    cut = [re.split(r'\s{2,}', line) for line in (lines[2], lines[3])]
    assert cut == [['a1', '-', '-', '-', '60.0 +- 14.1', '(59.3)', '25.0 +- 0.0', '(72.7)', '-', '(64.5)'],
                   ['b1', 'BBE', 'TIR', 'RGB', '40.0 +- 0.0', '-', '30.0 +- 0.0', '-', '-', '-']]
    assert lines[4] == ('cmd_atom: protocol lsotb, 2 sequences, 7 frames, mean +- standard deviation over seeds 0, 1; '
                        'x 100')


def test_boxes_of_the_world_lie_on_the_objects_of_the_pairs(tmp_path):
    """The scene is planned again: filmed, it must be the pair that `write_pairs` has written."""
    pairs = write_pairs(tmp_path / 'pairs', seed=3, pairs=6, progress=False)
    found = read_coco(write_world_boxes(tmp_path / 'boxes.json', 3, 6))
    assert sorted(record.name for record in found.records) == sorted(f'visible/{path.name}' for path in
                                                                     (pairs / 'visible').iterdir())
    assert sum(len(record.boxes) for record in found.records) > 12
    sequence = stream(3, 'pairs/train', 1)
    world = plan_world(sequence, (PER_SCENE - 1) * SCENE_STRIDE + 1, SIZE, crowd=True)
    filmed = film(world, sequence, [0, SCENE_STRIDE])[0][1]
    written = read_image(pairs / 'visible' / f'00001_{SCENE_STRIDE:03d}.jpg')
    assert np.corrcoef(filmed.mean(2).ravel(), written.mean(2).ravel())[0, 1] > 0.95
    boxes = boxes_of(world, SCENE_STRIDE)
    mask = silhouette(world, SCENE_STRIDE) > 0.5
    rows, columns = np.nonzero(mask)
    target = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert min(np.abs(np.subtract(box[:4], target)).max() for box in boxes) < 3


@pytest.mark.slow
def test_the_generated_world_gives_a_table_for_each_tracker(capsys, tmp_path):
    out = run(capsys, '--world', '--size', 'test', '--workspace', tmp_path, '--device', 'cpu')
    assert 'cmd_dimp: protocol lsotb, 2 sequences, 12 frames, seed 0' in out
    assert 'cmd_atom: protocol lsotb, 2 sequences, 12 frames, seed 0' in out
    assert 'left out: d5' not in out
    for row in ('a1', 'b1', 'b2', 'b3', 'c1', 'd1', 'd2', 'd3', 'd4', 'd5'):
        assert len(cells(out, row)) == 10
    rows = [line.split()[0] for line in out[out.rindex('Row  '):].splitlines()[2:6]]
    assert rows == ['a1', 'b1', 'b2', 'b3'], 'the second table is that of ATOM'
    ours = tmp_path / 'test' / 'seed_0'
    assert not list((ours / 'checkpoints' / 'ltr').glob('cmd_*')), 'rows of the demo, of another descent, lie there'
    assert (ours / 'table1' / 'checkpoints' / 'ltr' / 'cmd_dimp' / 'd3').is_dir()
