"""A user's mistake on the command line: exit status 2, one `error:` line, no trace-back."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from cmd_plugin import checkpoints, cli
from ltr import run_training
from pytracking import run_tracker
from tests.distilling.conftest import small_net
from tests.system.conftest import TRACK, TRAIN, one_line

MAINS = {TRAIN: run_training.entry, TRACK: run_tracker.entry, 'cmd_plugin': cli.entry}


pytestmark = pytest.mark.usefixtures('clean')


@pytest.fixture
def fails(monkeypatch, capfd):
    """`fails(TRAIN, ...)`: the error line of a command that runs in this process; any other end fails the test."""
    def run(program: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, 'argv', [program, *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            MAINS[program]()
        captured = capfd.readouterr()
        return one_line(subprocess.CompletedProcess([], stopped.value.code, captured.out, captured.err))
    return run


@pytest.fixture
def init(tmp_path) -> Path:
    path = tmp_path / 'parent.pth.tar'
    checkpoints.save(path, small_net(), {})
    return path


@pytest.fixture
def pairs(tmp_path, world_pairs) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(world_pairs, tmp_path / 'pairs'))


def d3(init: Path, *more: object) -> tuple[object, ...]:
    """A short run that reads its data in this process."""
    return (TRAIN, 'cmd_dimp', 'd3', '--init', init, '--samples', 10, '--epochs', 1, '--device', 'cpu', *more,
            '--workers', 0)


@pytest.mark.parametrize(('arguments', 'expected'), [
    ((TRAIN, 'cmd_dimp', 'd33'), "unknown train setting of cmd_dimp 'd33': did you mean 'd3'"),
    ((TRAIN, 'cmd_dinp', 'd3'), "unknown train settings module 'cmd_dinp': did you mean 'cmd_dimp'"),
    ((TRACK, 'cmd_dinp', 'default'), "unknown tracker 'cmd_dinp': did you mean 'cmd_dimp'"),
    ((TRACK, 'cmd_dimp', 'defualt'), "unknown parameters of the tracker 'cmd_dimp' 'defualt': did you mean 'default'"),
    ((TRACK, 'cmd_dimp', 'default', '--dataset', 'lsotb'), "unknown data set 'lsotb': did you mean 'lsotb_tir'"),
    ((TRACK, 'cmd_dimp', 'default', '--dataset', 'lsotb_tir'), 'give --data DIR or set PYTRACKING_LSOTB_TIR_PATH'),
    ((TRACK, 'cmd_dimp', 'default', '--data', 'nowhere'), "folder of the data set 'folder' does not exist: nowhere"),
    ((TRAIN, 'cmd_dimp', 'd3'), 'run python ltr/run_training.py cmd_dimp a1 --init dimp50.pth.tar; '),
    ((TRAIN, 'cmd_dimp', 'a1'), 'a1 is the RGB parent: give its checkpoint with --init'),
    ((TRAIN, 'cmd_dimp', 'd3', '--init', 'gone.pth.tar'), '--init: no file gone.pth.tar'),
    (('cmd_plugin', 'merge', '--base', 'a', '--reference', 'b', '--test', 'c', '--out', 'd'), 'no checkpoint a'),
])
def test_names_and_files_that_do_not_exist(fails, tmp_path, world_video, arguments, expected):
    if arguments[0] == TRACK and '--data' not in arguments and '--dataset' not in arguments:
        arguments = (*arguments, '--data', world_video)
    assert expected in fails(*arguments)


def test_a_real_process_says_it_in_one_line_too(command):
    """The cases of this file run in one process, for speed; this one as a user types it."""
    result = command(TRAIN, 'cmd_dimp', 'd33')
    assert one_line(result) == ("error: unknown train setting of cmd_dimp 'd33': did you mean 'd3'? "
                                'known: a1, b1, b2, b3, c1, control, d1, d2, d3, d4, d5')
    assert result.stdout == '' and result.stderr.count('\n') == 1


def test_tracking_without_a_distilled_network(fails, world_video):
    line = fails(TRACK, 'cmd_dimp', 'default', '--data', world_video)
    assert 'no distilled network below' in line and 'cmd_dimp d3 --data PAIRS' in line


def test_tracking_with_the_parent_by_mistake(fails, world_video, init, monkeypatch):
    monkeypatch.setenv('CMD_NETWORK', str(init))
    assert 'not a network that this plugin has distilled' in fails(TRACK, 'cmd_dimp', 'default', '--data', world_video)


def test_d3_without_pairs(fails, init):
    assert 'no training pairs: give --data DIR' in fails(*d3(init))


@pytest.mark.parametrize('variable', ['CMD_EPOCHS', 'CMD_BATCH', 'CMD_WORKERS', 'CMD_LR_SCALE'])
def test_a_bad_variable(fails, init, pairs, monkeypatch, variable):
    monkeypatch.setenv(variable, 'minus one')
    line = fails(TRAIN, 'cmd_dimp', 'd3', '--init', init, '--data', pairs)
    assert f"{variable}='minus one' is not valid; expected: a " in line


def test_an_empty_folder_and_one_that_is_not_there(fails, init, tmp_path):
    (tmp_path / 'empty').mkdir()
    assert 'no RGB-TIR pair found in' in fails(*d3(init, '--data', tmp_path / 'empty'))
    assert f'no such folder or list of pairs: {tmp_path / "gone"}' in fails(*d3(init, '--data', tmp_path / 'gone'))


def test_images_without_twins(fails, init, pairs):
    shutil.rmtree(pairs / 'infrared')
    line = fails(*d3(init, '--data', pairs))
    assert 'no RGB-TIR pair found' in line and f'6 images without a twin, e.g. {pairs / "visible"}' in line


def spoil(pairs: Path, fault: str) -> None:
    """Make every thermal image useless."""
    for path in (pairs / 'infrared').iterdir():
        if fault == 'size':
            image = np.frombuffer(path.read_bytes(), np.uint8)
            path.write_bytes(cv2.imencode('.jpg', cv2.imdecode(image, cv2.IMREAD_UNCHANGED)[:-2])[1].tobytes())
        else:
            path.write_bytes(path.read_bytes()[:-200] if fault == 'truncated' else b'')


FAULTS = {'size': 'pair of unequal size', 'truncated': 'is cut short', 'empty': 'is an empty file'}


@pytest.mark.parametrize('fault', FAULTS)
def test_no_pair_can_be_used(fails, init, pairs, fault):
    spoil(pairs, fault)
    line = fails(*d3(init, '--data', pairs))
    assert 'pairs drawn could not be used; the last one: ' in line and FAULTS[fault] in line
    assert not list(Path('ws').rglob('*.pth.tar'))


def test_an_error_in_a_loader_process_is_one_line_too(command, init, pairs):
    """With the default of two processes; what they raise arrives with the trace-back of another process."""
    spoil(pairs, 'truncated')
    start = time.monotonic()
    line = one_line(command(*d3(init, '--data', pairs)[:-1], '2'))
    assert 'pairs drawn could not be used; the last one: ' in line and FAULTS['truncated'] in line
    assert time.monotonic() - start < 60, 'the loader processes must end with their parent'


def test_one_bad_pair_among_good_ones_is_skipped_counted_and_told(command, init, pairs):
    next((pairs / 'infrared').iterdir()).write_bytes(b'')
    result = command(*d3(init, '--data', pairs, '--samples', 40)[:-1], '2')
    assert result.returncode == 0, result.stderr
    assert 'is an empty file' in result.stderr
    last = result.stdout.splitlines()[-1]
    assert last.startswith('skipped: ') and last.endswith(' of 1 pairs that could not be used')


def test_a_set_smaller_than_the_batch(fails, init, pairs):
    assert 'fewer samples than the batch size' in fails(*d3(init, '--data', pairs, '--batch', 20))


@pytest.mark.parametrize('damage', ['truncated', 'other'])
def test_a_bad_checkpoint(fails, pairs, tmp_path, init, damage):
    if damage == 'truncated':
        init.write_bytes(init.read_bytes()[:10_000])
        assert 'truncated or corrupt' in fails(*d3(init, '--data', pairs))
    else:
        assert 'not the network --net dimp18' in fails(*d3(init, '--data', pairs, '--net', 'dimp18'))


def test_sequences_without_a_usable_ground_truth(fails, tmp_path, world_video, monkeypatch):
    path = checkpoints.folder_of('d3') / 'DiMPnet_ep0001.pth.tar'
    checkpoints.save(path, small_net(), {'recipe': 'd3', 'crop_size': 144})
    data = Path(shutil.copytree(world_video, tmp_path / 'video'))
    files = sorted(data.glob('*/groundtruth_rect.txt'))
    files[0].write_text('0,0,0,0\n' * 20)
    files[1].unlink()
    line = fails(TRACK, 'cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', data)
    assert 'no sequence with a ground truth' in line and '1 without a ground truth' in line
    files[0].write_text('10,10,20,20\n' * 3)
    assert 'has 3 rows' in fails(TRACK, 'cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', data)
    files[0].write_text('a,b,c,d\n' * 20)
    assert str(files[0]) in fails(TRACK, 'cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', data)
