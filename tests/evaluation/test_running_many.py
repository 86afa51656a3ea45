"""Many sequences, of which some fail: retries, dead workers, parts, progress, Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from pytracking.evaluation import Sequence, Tracker, get_dataset
from pytracking.evaluation.data import SequenceList
from pytracking.evaluation.job import Job
from pytracking.evaluation.progress import RunProgress
from pytracking.evaluation.report import Outcome
from pytracking.evaluation.results import read_boxes
from pytracking.evaluation.running import run_dataset
from pytracking.evaluation.sharding import parse_shard, shard
from pytracking.run_tracker import main
from tests.evaluation.conftest import REPO, box_path, write_sequence
from tests.evaluation.trouble import PLUGIN


@pytest.fixture
def ten(tmp_path, monkeypatch):
    """Ten sequences; the images of the fourth are narrow."""
    monkeypatch.setenv('PYTRACKING_PLUGINS', PLUGIN)
    monkeypatch.setenv('TROUBLE_MARK', str(tmp_path / 'mark'))
    monkeypatch.setenv('RAY_raylet_start_wait_time_s', '300')  # on a busy machine, half a minute is not enough
    for number in range(10):
        write_sequence(tmp_path / 'data' / f's{number}', box_path(4), width=20 if number == 3 else 40)
    return tmp_path / 'data'


@pytest.mark.parametrize('threads', ['0', pytest.param('2', marks=pytest.mark.slow)])
def test_one_broken_sequence_among_ten(ten, capsys, threads, clean_environment):
    broken = ten / 's7' / 'img' / '0003.png'
    whole = broken.read_bytes()
    broken.write_bytes(whole[:200])
    command = ['trouble', 'default', '--data', str(ten), '--threads', threads]
    folder = clean_environment / 'tracking_results' / 'trouble' / 'default'

    assert main(command) == 1
    out, err = capsys.readouterr()
    assert '9 sequences run, 0 were finished before, 1 failed' in out
    last = [line for line in err.splitlines() if line.startswith('failed')]
    assert len(last) == 1 and 's7' in last[0] and '0003.png is cut off' in last[0] and '2 attempts' in last[0]
    assert 'protocol lsotb, 9 sequences' in out
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert sorted(times) == sorted(f's{i}{end}' for i in range(10) if i != 7 for end in ('.txt', '_time.txt'))

    assert main(command) == 1  # only the one is tried, and it is still broken
    out, err = capsys.readouterr()
    assert '0 sequences run, 9 were finished before, 1 failed' in out
    broken.write_bytes(whole)
    assert main(command) == 0
    assert '1 sequences run, 9 were finished before, 0 failed' in capsys.readouterr().out
    assert {name: (folder / name).stat().st_mtime_ns for name in times} == times
    assert (folder / 's7.txt').exists()


def test_a_failed_sequence_is_tried_again_when_the_others_are_done(ten, capsys):
    report = run_dataset(get_dataset('folder', root=ten), [Tracker('trouble', 'once')])
    assert report.count('done') == 10 and report.outcomes[-1].sequence == 's3'
    assert 's3: RuntimeError: the first time' in capsys.readouterr().err
    assert len(read_boxes(Tracker('trouble', 'once').results_dir, get_dataset('folder', root=ten)['s3'])) == 4


def test_no_retries(ten, capsys):
    report = run_dataset(get_dataset('folder', root=ten), [Tracker('trouble', 'once')], retries=0)
    assert [outcome.sequence for outcome in report.failures] == ['s3']
    err = capsys.readouterr().err
    assert 'tried again' not in err and 'attempts' not in err


def test_a_result_that_cannot_be_written_ends_the_run(ten, monkeypatch, capsys):
    """What follows could not be written either."""
    def full(*_args):
        raise UserError('cannot write s1.txt: disk full')
    data, tracker = get_dataset('folder', root=ten)[:2], Tracker('trouble', 'default')
    assert run_dataset(data[:1], [tracker]).count('done') == 1
    monkeypatch.setattr('pytracking.evaluation.running.write_results', full)
    with pytest.raises(UserError, match='disk full'):
        run_dataset(data, [tracker])
    assert '0 of 1 sequences are finished and saved' in capsys.readouterr().err


def test_what_does_not_go_together_is_refused(ten):
    for options in ({'threads': 2}, {'ray': 'local'}):
        with pytest.raises(UserError, match='one sequence at a time'):
            run_dataset([], [], visdom_info={'use_visdom': True}, **options)
    with pytest.raises(UserError, match='retries must not be negative'):
        run_dataset([], [], retries=-1)


@pytest.mark.slow
def test_a_worker_that_dies_costs_one_sequence(ten, capsys):
    report = run_dataset(get_dataset('folder', root=ten), [Tracker('trouble', 'death')], threads=2)
    assert report.count('done') == 9
    assert [outcome.sequence for outcome in report.failures] == ['s3']
    assert report.failures[0].message == 'the worker process died (exit status 9) (2 attempts)'


# --- parts ---

sequence_lists = st.lists(st.integers(0, 500), max_size=40).map(lambda lengths: SequenceList(
    (Sequence(f's{i}', [''] * n, 'd', np.ones((max(n, 1), 4))) for i, n in enumerate(lengths)), 'ptb'))


@given(sequence_lists, st.integers(1, 9), st.randoms())
def test_parts_are_disjoint_and_cover(sequences, parts, random):
    lists = [shard(sequences, part, parts) for part in range(1, parts + 1)]
    names = [item.name for part in lists for item in part]
    assert sorted(names) == sorted(item.name for item in sequences) and len(set(names)) == len(names)
    assert all(part.protocol == 'ptb' for part in lists)
    order = [item.name for item in sequences]
    assert all([item.name for item in part] == sorted((i.name for i in part), key=order.index) for part in lists)
    mixed = SequenceList(sequences, 'ptb')
    random.shuffle(mixed)
    for number, part in enumerate(lists, 1):
        assert {item.name for item in shard(mixed, number, parts)} == {item.name for item in part}
    loads = [sum(len(item) + 1 for item in part) for part in lists]
    assert max(loads) - min(loads) <= max((len(item) + 1 for item in sequences), default=0)


def test_parse_shard():
    assert parse_shard('2/8') == (2, 8) and parse_shard(' 1 / 1 ') == (1, 1)
    for text in ('0/4', '5/4', '1', '1/0', '-1/4', '1/x', '1/2/3', ''):
        with pytest.raises(UserError, match='is not a part such as'):
            parse_shard(text)


def test_parts_on_the_command_line(ten, capsys, clean_environment):
    command = ['trouble', 'default', '--data', str(ten), '--shard']
    for part in ('1/3', '2/3', '3/3'):
        assert main([*command, part]) == 0
    out = capsys.readouterr().out
    assert 'part 1 of 3: 4 of 10 sequences' in out and 'part 3 of 3: 3 of 10 sequences' in out
    assert out.count('were finished before') == out.count(' 0 were finished before') == 3
    assert main(['trouble', 'default', '--data', str(ten)]) == 0
    assert '0 sequences run, 10 were finished before' in capsys.readouterr().out
    with pytest.raises(UserError, match=r"--shard '4/3' is not a part"):
        main([*command, '4/3'])
    assert main(['trouble', 'default', '--data', str(ten), '--sequence', 's1', '--shard', '2/2']) == 0
    assert 'part 2 of 2: 0 of 1 sequences' in capsys.readouterr().out


# --- progress ---

def test_frames_of_failed_attempts_do_not_count(capsys):
    jobs = [Job(Tracker('dummy', 'default'), Sequence(name, [''] * 10, 'd', np.ones((10, 4)))) for name in 'ab']
    with RunProgress(jobs) as progress:
        progress.add(jobs[0], 4)
        progress.again(jobs[0], 'no luck')
        assert progress.frames == 0
        progress.add(jobs[1], 7)
        progress.end(jobs[1], Outcome('dummy/default', 'b', 'done', 10, 2.0))
        assert (progress.frames, progress.total) == (10, 20)
        progress.add(jobs[0], 4)
        progress.end(jobs[0], Outcome('dummy/default', 'a', 'failed', message='no luck'))
        assert (progress.frames, progress.total) == (10, 10)
    out, err = capsys.readouterr()
    assert 'dummy/default, b: 10 frames, 5.0 frames/s [1/2, ' in out and ' left]' in out
    assert 'dummy/default, a: no luck; will be tried again' in err


def test_the_bar_shows_speed_and_time_left(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True)
    job = Job(Tracker('dummy', 'default'), Sequence('a', [''] * 10, 'd', np.ones((10, 4))))
    with RunProgress([job]) as progress:
        progress.bar.mininterval = 0
        progress.add(job, 5)
        progress.bar.refresh()
    err = capsys.readouterr().err
    assert '5/10' in err and 'frames/s' in err and '50%' in err


# --- Ray ---

def test_ray_that_is_not_installed(ten, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(UserError, match='pip install ray'):
        main(['trouble', 'default', '--data', str(ten), '--ray', 'local'])


@pytest.mark.slow
def test_a_local_ray(ten, capsys, tmp_path):
    pytest.importorskip('ray', reason='Ray is not installed (pip install ray)')
    sequences, tracker = get_dataset('folder', root=ten), Tracker('trouble', 'death')
    report = run_dataset(sequences, [tracker], ray='local', threads=2)
    assert report.count('done') == 9, [outcome.message for outcome in report.failures]
    assert report.failures[0].sequence == 's3' and 'attempts' in report.failures[0].message
    assert run_dataset(sequences, [Tracker('trouble', 'once')], ray='local').count('done') == 10
    noisy = [Tracker('dummy', 'noisy', results_path=tmp_path / name) for name in ('here', 'there')]
    run_dataset(sequences, [noisy[0]])
    run_dataset(sequences, [noisy[1]], ray='local')
    for sequence in sequences:
        np.testing.assert_array_equal(*(read_boxes(one.results_dir, sequence) for one in noisy))


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends signals')
@pytest.mark.parametrize(('signal_number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ray_is_stopped_by_signals(ten, tmp_path, signal_number, status):
    pytest.importorskip('ray', reason='Ray is not installed (pip install ray)')
    for number in range(4):
        write_sequence(ten / f's{number}', box_path(120))
    process = subprocess.Popen([sys.executable, str(REPO / 'pytracking' / 'run_tracker.py'), 'dummy', 'slow', '--data',
                                str(ten), '--results', str(tmp_path / 'r'), '--ray', 'local', '--threads', '2'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    for line in process.stdout:
        if line == 'Ray, local: 2 sequences at a time\n':
            break
    time.sleep(5)
    process.send_signal(signal_number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status and err.rstrip().endswith('stopped') and 'Traceback' not in err, err
    assert not list((tmp_path / 'r').rglob('*.txt')), 'the long ones come first, and none of them is done'


@pytest.mark.slow
def test_no_ray_cluster(ten):
    pytest.importorskip('ray', reason='Ray is not installed (pip install ray)')
    with pytest.raises(UserError, match=r"no Ray cluster at 'auto'"):
        main(['trouble', 'default', '--data', str(ten), '--ray', 'auto'])
