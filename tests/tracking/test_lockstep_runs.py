"""Runs of several sequences at a time: ragged ends, failures, skipped and resumed sequences, what is refused."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from pytracking.evaluation import Tracker, get_dataset
from pytracking.evaluation.job import Job, Tracked
from pytracking.evaluation.lockstep import in_lockstep
from pytracking.evaluation.results import read_boxes, read_seconds
from pytracking.evaluation.running import run_dataset
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.dimp.dimp_small import parameters
from pytracking.run_tracker import main
from pytracking.tracker.dimp import DiMP
from pytracking.utils.params import TrackerParams
from tests.tracking.conftest import small_net, video

LENGTHS = (3, 7, 5, 2, 6)


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    """A network, five sequences of different lengths, and an empty results folder."""
    def quick() -> TrackerParams:
        params = parameters()
        params.use_augmentation, params.target_not_found_threshold = False, -1e9
        return params
    monkeypatch.setattr('pytracking.parameter.dimp.dimp_small.parameters', quick)
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    net = small_net()
    checkpoint.save(tmp_path / 'networks' / 'dimp_small.pth.tar',
                    {'net_type': 'DiMPnet', 'net': net.state_dict(), 'constructor': net.constructor})
    for number, length in enumerate(LENGTHS):
        frames, boxes = video(length, number)
        folder = tmp_path / 'data' / f's{number}'
        (folder / 'img').mkdir(parents=True)
        for i, frame in enumerate(frames):
            cv2.imwrite(str(folder / 'img' / f'{i + 1:04d}.png'), frame[..., ::-1])
        np.savetxt(folder / 'groundtruth_rect.txt', boxes, fmt='%g', delimiter=',')
    return tmp_path


def test_a_run(workspace, capsys):
    """One fails midway: it is tried again, reported, and costs no other its boxes; the next run does only that."""
    broken = workspace / 'data' / 's1' / 'img' / '0004.png'
    whole = broken.read_bytes()
    sequences = get_dataset('folder', root=workspace / 'data')
    assert main(['dimp', 'dimp_small', '--data', str(workspace / 'data'), '--results', str(workspace / 'one')]) == 0
    broken.write_bytes(whole[:100])
    command = ['dimp', 'dimp_small', '--data', str(workspace / 'data'), '--results', str(workspace / 'two'),
               '--batch-sequences', '3']
    capsys.readouterr()
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert '4 sequences run, 0 were finished before, 1 failed' in out
    last = [line for line in err.splitlines() if line.startswith('failed')]
    assert len(last) == 1 and 's1' in last[0] and '0004.png' in last[0] and '2 attempts' in last[0]
    assert '[4/5, ' in out and 'frames/s' in out
    folders = [Tracker('dimp', 'dimp_small', results_path=workspace / name).results_dir for name in ('one', 'two')]
    times = {path.name: path.stat().st_mtime_ns for path in folders[1].glob('*.txt')}
    assert sorted(times) == sorted(f's{i}{end}' for i in (0, 2, 3, 4) for end in ('.txt', '_time.txt'))
    broken.write_bytes(whole)
    assert main(command) == 0
    assert '1 sequences run, 4 were finished before, 0 failed' in capsys.readouterr().out
    assert {name: (folders[1] / name).stat().st_mtime_ns for name in times} == times
    for sequence in sequences:
        np.testing.assert_allclose(*(read_boxes(folder, sequence) for folder in folders), atol=1e-2)
        seconds = read_seconds(folders[1], sequence)
        assert len(seconds) == len(sequence.frames) and seconds.min() > 0


def test_frames_are_counted_as_they_come(workspace, monkeypatch):
    counted = []
    monkeypatch.setattr('pytracking.evaluation.progress.RunProgress.add',
                        lambda self, job, frames: counted.append((job.sequence.name, frames)))
    report = run_dataset(get_dataset('folder', root=workspace / 'data')[:3], [Tracker('dimp', 'dimp_small')],
                         batch_sequences=2)
    assert report.count('done') == 3
    assert [name for name, frames in counted[:4] if frames == 1] == ['s1', 's2', 's1', 's2'], 'the longest first'
    assert sum(1 for name, frames in counted if frames == 1) >= sum(LENGTHS[:3])


def test_a_result_that_is_no_box_ends_its_sequence_alone(workspace, monkeypatch):
    output = DiMP._output
    monkeypatch.setattr(DiMP, '_output', lambda self, peak: [np.inf] * 4 if self.frame_num == 7 else output(self, peak))
    report = run_dataset(get_dataset('folder', root=workspace / 'data'), [Tracker('dimp', 'dimp_small')], retries=0,
                         batch_sequences=5)
    assert report.count('done') == 4 and [outcome.sequence for outcome in report.failures] == ['s1']
    assert 'instead of a box' in report.failures[0].message


def test_too_many_for_the_memory(workspace, monkeypatch):
    extract = NetWithBackbone.extract_backbone

    def small(self, images):
        if len(images) > 2:
            raise torch.cuda.OutOfMemoryError('out of memory')
        return extract(self, images)
    monkeypatch.setattr(NetWithBackbone, 'extract_backbone', small)
    sequences = get_dataset('folder', root=workspace / 'data')
    with pytest.raises(UserError, match=r'3 sequences at a time do not fit .*: lower --batch-sequences'):
        run_dataset(sequences, [Tracker('dimp', 'dimp_small')], batch_sequences=3)
    assert run_dataset(sequences, [Tracker('dimp', 'dimp_small')], batch_sequences=2).count('done') >= 4


def test_a_run_that_is_ended_leaves_no_threads(workspace):
    jobs = deque(Job(Tracker('dimp', 'dimp_small'), one) for one in get_dataset('folder', root=workspace / 'data'))
    results = in_lockstep(jobs, 2, lambda job, frames: None)
    job, result = next(results)
    assert isinstance(result, Tracked) and len(result.boxes) == len(job.sequence.frames) and jobs
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith('ThreadPoolExecutor')]


def test_trackers_and_options_that_do_not_go_with_it(workspace, monkeypatch):
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tests=tests.evaluation.dummy_plugin')
    sequences = get_dataset('folder', root=workspace / 'data')
    with pytest.raises(UserError, match='the tracker dummy tracks one sequence at a time: leave out --batch-sequences'):
        run_dataset(sequences, [Tracker('dummy', 'moving')], batch_sequences=2)
    for options in ({'threads': 2}, {'ray': 'local'}):
        with pytest.raises(UserError, match='pass the network together in one process'):
            run_dataset(sequences, [Tracker('dimp', 'dimp_small')], batch_sequences=2, **options)
    with pytest.raises(UserError, match='one sequence at a time'):
        run_dataset([], [], visdom_info={'use_visdom': True}, batch_sequences=2)
    with pytest.raises(UserError, match='must be at least 1, got 0'):
        main(['dimp', 'dimp_small', '--data', str(workspace / 'data'), '--batch-sequences', '0'])
