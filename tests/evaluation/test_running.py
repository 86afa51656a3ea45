"""Runs with a dummy tracker: results, skipping, failures, several processes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking.evaluation import Sequence, Tracker, get_dataset, trackerlist
from pytracking.evaluation.results import read_boxes, read_seconds, write_results
from pytracking.evaluation.running import run_dataset
from tests.evaluation.conftest import box_path, write_sequence


@pytest.fixture
def data(tmp_path) -> Path:
    for name in ('a', 'b', 'c'):
        write_sequence(tmp_path / 'data' / name, box_path(4 + ord(name) - ord('a')))
    return tmp_path / 'data'


def test_results_are_floats_in_the_stock_layout(data, clean_environment):
    tracker = Tracker('dummy', 'moving', 7)
    assert tracker.results_dir == clean_environment / 'tracking_results' / 'dummy' / 'moving_007'
    report = run_dataset(get_dataset('folder', root=data), [tracker])
    assert report.count('done') == 3 and not report.failures
    assert sorted(path.name for path in tracker.results_dir.iterdir()) == [
        'a.txt', 'a_time.txt', 'b.txt', 'b_time.txt', 'c.txt', 'c_time.txt']
    lines = (tracker.results_dir / 'a.txt').read_text().splitlines()
    assert lines[:2] == ['5.0000\t6.0000\t8.0000\t9.0000', '5.5000\t6.5000\t8.0000\t9.0000']
    assert len(lines) == len((tracker.results_dir / 'a_time.txt').read_text().splitlines()) == 4


def test_run_sequence_returns_boxes_and_times(data):
    output = Tracker('dummy', 'moving').run_sequence(get_dataset('folder', root=data)['b'])
    np.testing.assert_allclose(output['target_bbox'], box_path(5))
    assert len(output['time']) == 5 and min(output['time']) >= 0


def test_finished_sequences_are_skipped_and_short_ones_run_again(data, capsys):
    sequences, tracker = get_dataset('folder', root=data), Tracker('dummy', 'moving')
    run_dataset(sequences, [tracker])
    for name, text in (('a', '1\t1\t1\t1\n' * 4), ('b', '1\t1\t1\t1\n' * 2), ('c', 'nonsense\n')):
        (tracker.results_dir / f'{name}.txt').write_text(text)
    capsys.readouterr()
    report = run_dataset(sequences, [tracker])
    out = capsys.readouterr().out
    assert [o.status for o in report.outcomes] == ['skipped', 'done', 'done']
    assert 'which had 2 rows instead of 5' in out and 'replaced a damaged result' in out
    assert '2 sequences run, 1 were finished before, 0 failed' in out
    assert read_boxes(tracker.results_dir, sequences['a'])[0].tolist() == [1, 1, 1, 1]
    np.testing.assert_allclose(read_boxes(tracker.results_dir, sequences['b']), box_path(5))


def test_a_cut_run_neither_overwrites_nor_passes_for_a_full_one(data):
    sequence, tracker = get_dataset('folder', root=data)['c'], Tracker('dummy', 'moving')
    assert run_dataset([sequence.first(2)], [tracker]).count('done') == 1
    assert run_dataset([sequence], [tracker]).count('done') == 1
    assert run_dataset([sequence.first(2)], [tracker]).count('skipped') == 1
    assert len(read_boxes(tracker.results_dir, sequence)) == 6
    assert len(read_boxes(tracker.results_dir, sequence.first(2))) == 2
    assert len(read_seconds(tracker.results_dir, sequence.first(2))) == 2


@pytest.mark.parametrize('broken', ['write', 'replace'])
def test_a_write_that_breaks_leaves_no_result(tmp_path, monkeypatch, broken):
    def fail(*_args, **_kwargs):
        raise KeyboardInterrupt

    def write_half_and_fail(path, content):
        with open(path, 'wb') as file:
            file.write(content[:3])
        raise OSError('disk full')

    boxes, seconds = np.ones((2, 4)), np.ones(2)
    write_results(tmp_path, 'old', boxes, seconds)
    old = (tmp_path / 'old.txt').read_text()
    if broken == 'write':
        monkeypatch.setattr(Path, 'write_bytes', write_half_and_fail)
    else:
        monkeypatch.setattr(os, 'replace', fail)
    for name in ('new', 'old'):
        with pytest.raises((UserError, KeyboardInterrupt)):
            write_results(tmp_path, name, boxes * 2, seconds)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['old.txt', 'old_time.txt']
    assert (tmp_path / 'old.txt').read_text() == old


def test_the_box_file_comes_last(tmp_path, monkeypatch):
    moved = []
    replace = os.replace
    monkeypatch.setattr(os, 'replace', lambda a, b: (moved.append(Path(b).name), replace(a, b)))
    write_results(tmp_path, 's', np.ones((2, 4)), np.ones(2))
    assert moved == ['s_time.txt', 's.txt']


def test_malformed_and_missing_results_are_named(tmp_path):
    sequence = Sequence('s', ['1', '2', '3'], 'd', np.ones((3, 4)))
    with pytest.raises(UserError, match="no result for the sequence 's'"):
        read_boxes(tmp_path, sequence)
    write_results(tmp_path, 's', np.ones((2, 4)), np.ones(2))
    with pytest.raises(UserError, match=r's.txt has 2 rows, but the sequence has 3 frames'):
        read_boxes(tmp_path, sequence)
    assert read_seconds(tmp_path, sequence) is None
    (tmp_path / 's.txt').write_text('1\t2\t3\t4\n1\t2\n')
    with pytest.raises(UserError, match=r's.txt, line 2: expected 4 numbers, found 2'):
        read_boxes(tmp_path, sequence)
    with pytest.raises(ValueError, match='expected'):
        write_results(tmp_path, 's', np.ones((2, 3)), np.ones(2))


def test_precision_survives_the_file(tmp_path):
    boxes = np.random.default_rng(0).uniform(-5, 2000, (50, 4))
    boxes[3] = np.nan
    write_results(tmp_path, 's', boxes, np.ones(50))
    back = read_boxes(tmp_path, Sequence('s', [''] * 50, 'd', np.ones((50, 4))))
    np.testing.assert_allclose(back, boxes, atol=5.1e-5, rtol=0)


def test_one_failure_does_not_stop_the_others(data, capsys):
    write_sequence(data / 'a_narrow', box_path(4), width=20)
    cut = data / 'b' / 'img' / '0003.png'
    cut.write_bytes(cut.read_bytes()[:200])
    report = run_dataset(get_dataset('folder', root=data), [Tracker('dummy', 'narrow')])
    assert [(o.sequence, o.status) for o in report.outcomes] == [
        ('a', 'done'), ('c', 'done'), ('a_narrow', 'failed'), ('b', 'failed')]
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith('failed')]
    assert len(lines) == 2
    assert 'a_narrow: RuntimeError: image too narrow: 20' in lines[0] and 'dummy_plugin.py' in lines[0]
    assert '0003.png' in lines[1]
    assert not (Tracker('dummy', 'narrow').results_dir / 'b.txt').exists()


def test_debug_shows_the_trace_back_of_a_programming_error(data):
    write_sequence(data / 'a_narrow', box_path(4), width=20)
    with pytest.raises(RuntimeError, match='too narrow'):
        run_dataset(get_dataset('folder', root=data), [Tracker('dummy', 'narrow')], debug=1)


@pytest.mark.parametrize('box', [(41, 5, 8, 9), (5, 24, 8, 9)])
def test_a_first_box_outside_the_image_is_an_error(tmp_path, box):
    write_sequence(tmp_path / 'a', [box, *box_path(2)])
    report = run_dataset(get_dataset('folder', root=tmp_path), [Tracker('dummy', 'default')])
    assert 'lies outside the image' in report.failures[0].message
    assert '40 x 24 px' in report.failures[0].message


@pytest.mark.parametrize(('name', 'parameters', 'message'), [
    ('dumy', 'default', "unknown tracker 'dumy': did you mean 'dummy'"),
    ('dummy', 'defalt', "unknown parameters of the tracker 'dummy' 'defalt': did you mean 'default'"),
    ('dummy', 'nameless', r'nameless.py has no function parameters\(\)'),
])
def test_unknown_names_fail_before_anything_runs(data, name, parameters, message):
    with pytest.raises(UserError, match=message):
        run_dataset(get_dataset('folder', root=data), [Tracker(name, parameters)])


def test_an_import_error_in_a_parameter_module_comes_through(data):
    with pytest.raises(ModuleNotFoundError, match='a_module_that_is_not_there'):
        run_dataset(get_dataset('folder', root=data), [Tracker('dummy', 'broken')])


def test_negative_threads_are_refused():
    with pytest.raises(UserError, match='negative'):
        run_dataset([], [], threads=-1)


def test_trackerlist():
    runs = trackerlist('dummy', 'noisy', range(3), 'Noisy')
    assert [t.run_id for t in runs] == [0, 1, 2] and {t.label for t in runs} == {'Noisy'}
    assert [t.run_id for t in trackerlist('dummy', 'noisy')] == [None]


def test_random_numbers_depend_on_sequence_and_run_alone(data, tmp_path):
    sequences = get_dataset('folder', root=data)

    def boxes(order, run, folder):
        tracker = Tracker('dummy', 'noisy', run, results_path=tmp_path / folder)
        run_dataset([sequences[name] for name in order], [tracker])
        return read_boxes(tracker.results_dir, sequences['b'])

    first = boxes('abc', 1, 'one')
    np.testing.assert_array_equal(first, boxes('cb', 1, 'two'))
    assert not np.allclose(first, boxes('abc', 2, 'one'))


def test_trackers_learn_run_debug_level_and_names(data, monkeypatch):
    seen = []
    create = Tracker.create_tracker
    monkeypatch.setattr(Tracker, 'create_tracker', lambda self, p: (seen.append(p), create(self, p))[1])
    sequence = get_dataset('folder', root=data)['a']
    Tracker('dummy', 'default', 4).run_sequence(sequence, debug=2)
    Tracker('dummy', 'default').run_sequence(sequence)
    first = seen[0]
    assert (first.seed, first.debug, first.tracker_name, first.param_name) == (4, 2, 'dummy', 'default')
    assert not seen[1].has('seed') and seen[1].debug == 0


@pytest.mark.slow
def test_processes_give_the_same_results_and_report_failures(data, tmp_path, capsys):
    write_sequence(data / 'd_narrow', box_path(4), width=20)
    sequences = get_dataset('folder', root=data)
    one, two = (Tracker('dummy', name, results_path=tmp_path / 'pool') for name in ('noisy', 'narrow'))
    report = run_dataset(sequences, [one, two], threads=2)
    assert report.count('done') == 7
    assert [(o.tracker, o.sequence) for o in report.failures] == [('dummy/narrow', 'd_narrow')]
    alone = Tracker('dummy', 'noisy', results_path=tmp_path / 'alone')
    run_dataset(sequences, [alone])
    for sequence in sequences:
        np.testing.assert_array_equal(read_boxes(one.results_dir, sequence),
                                      read_boxes(alone.results_dir, sequence))
    shutil.rmtree(tmp_path / 'pool')


def test_the_number_of_a_run_is_not_negative():
    with pytest.raises(UserError, match='the number of a run must be 0 or more, not -1'):
        Tracker('dummy', 'moving', -1)
