"""Which network made the results: recorded, not mixed with another one's, looked up once a run."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from torch import nn

from ltr.admin.errors import UserError
from pytracking.evaluation import Tracker, get_dataset
from pytracking.evaluation import network_record as module
from pytracking.evaluation.network_record import RECORD, check_record, network_file, record_of, write_record
from pytracking.evaluation.running import run_dataset
from pytracking.utils.params import FeatureParams
from tests.evaluation.conftest import box_path, write_sequence
from tests.evaluation.dummy_parameters.networked import FileNet


@pytest.fixture
def sequences(tmp_path):
    for name in ('a', 'b'):
        write_sequence(tmp_path / 'data' / name, box_path(3))
    return get_dataset('folder', root=tmp_path / 'data')


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """Two files; the parameters name the first."""
    files = [tmp_path / 'one.pth.tar', tmp_path / 'two.pth.tar']
    for path in files:
        path.write_bytes(path.name.encode() * 1000)
    monkeypatch.setenv('DUMMY_NET', str(files[0]))
    return files


def test_the_network_is_recorded(sequences, networks):
    tracker = Tracker('dummy', 'networked')
    assert run_dataset(sequences, [tracker]).count('done') == 2
    data = networks[0].read_bytes()
    assert json.loads((tracker.results_dir / RECORD).read_text()) == {
        'path': str(networks[0]), 'size': len(data), 'sha256': hashlib.sha256(data).hexdigest(), 'speed': ''}
    assert sorted(path.name for path in tracker.results_dir.iterdir()) == [
        'a.txt', 'a_time.txt', 'b.txt', 'b_time.txt', RECORD]


def test_results_of_another_network_are_refused(sequences, networks, monkeypatch, tmp_path):
    tracker = Tracker('dummy', 'networked')
    run_dataset([sequences['a']], [tracker])
    before = (tracker.results_dir / RECORD).read_text()
    monkeypatch.setenv('DUMMY_NET', str(networks[1]))
    # The other data set's, or sequence's, results would be there beside the old ones: refused alike.
    with pytest.raises(UserError, match=r'with .*one\.pth\.tar .*, now .*two\.pth\.tar .*--runid'):
        run_dataset([sequences['b']], [tracker])
    assert (tracker.results_dir / RECORD).read_text() == before and not (tracker.results_dir / 'b.txt').exists()
    assert run_dataset(sequences, [Tracker('dummy', 'networked', 1)]).count('done') == 2
    assert run_dataset(sequences, [Tracker('dummy', 'networked', results_path=tmp_path / 'r')]).count('done') == 2
    for path in tracker.results_dir.glob('a*.txt'):
        path.unlink()
    assert run_dataset(sequences, [tracker]).count('done') == 2
    assert 'two.pth.tar' in (tracker.results_dir / RECORD).read_text()


def test_a_file_that_was_replaced_is_another_network_and_a_copy_is_the_same(sequences, networks, monkeypatch):
    tracker = Tracker('dummy', 'networked')
    run_dataset(sequences, [tracker])
    networks[1].write_bytes(networks[0].read_bytes())
    monkeypatch.setenv('DUMMY_NET', str(networks[1]))
    assert run_dataset(sequences, [tracker]).count('skipped') == 2
    networks[1].write_bytes(networks[1].read_bytes()[:-1] + b'!')
    with pytest.raises(UserError, match=r'results in .* were made with'):
        run_dataset(sequences, [tracker])


def test_nothing_is_recorded_before_all_trackers_are_checked(sequences, networks):
    first = Tracker('dummy', 'networked')
    with pytest.raises(UserError, match='absent'):
        run_dataset(sequences, [first, Tracker('dummy', 'absent')])
    assert not first.results_dir.exists()


def test_results_without_a_record_are_told(sequences, networks, capsys):
    tracker = Tracker('dummy', 'networked')
    run_dataset(sequences, [tracker])
    assert 'notice' not in capsys.readouterr().err
    (tracker.results_dir / RECORD).unlink()
    run_dataset(sequences, [tracker])
    assert 'not recorded which network made the results in' in capsys.readouterr().err
    for text in ('{', '[]', '{"path": 1}'):
        (tracker.results_dir / RECORD).write_text(text)
        with pytest.raises(UserError, match=r'cannot read .*network\.json'):
            run_dataset(sequences, [tracker])


def test_the_checksum_is_made_once_a_run(sequences, networks, monkeypatch):
    made = []
    monkeypatch.setattr('pytracking.evaluation.running.record_of',
                        lambda path, speed: (made.append(path), record_of(path, speed))[1])
    run_dataset(sequences, [Tracker('dummy', 'networked')])
    assert made == [networks[0]]


@pytest.mark.parametrize('event', ['other file', 'other file and crop', 'replaced', 'removed'])
def test_a_run_keeps_to_its_network(sequences, networks, monkeypatch, event):
    """What the parameters name changes after the first sequence."""
    seen, create = [], Tracker.create_tracker

    def create_and_change(self, params):
        seen.append(params.net.net_path)
        if event.startswith('other'):
            os.environ['DUMMY_NET'] = str(networks[1])
        if event.endswith('crop'):
            os.environ['DUMMY_CROP'] = '2'
        if event == 'replaced':
            networks[0].write_bytes(b'new')
        if event == 'removed':
            networks[0].unlink()
        return create(self, params)

    monkeypatch.setenv('DUMMY_CROP', '1')
    monkeypatch.setattr(Tracker, 'create_tracker', create_and_change)
    report = run_dataset(sequences, [Tracker('dummy', 'networked')])
    if event == 'other file':
        assert report.count('done') == 2 and seen == [str(networks[0])] * 2
    else:
        assert (report.count('done'), len(seen)) == (1, 1)
        assert 'during the run' in report.failures[0].message


def test_parameters_that_have_loaded_another_network_cannot_be_kept_to_the_first(networks):
    first, later = (FeatureParams(net=FileNet(str(path))) for path in networks)
    network = module.run_network(first)
    later.net._net = nn.Linear(1, 1)
    with pytest.raises(UserError, match='changed during the run'):
        network.pin(later)


@pytest.mark.parametrize('params', [FeatureParams(step=1), FeatureParams(net=None), FeatureParams(net=nn.Linear(1, 1)),
                                    FeatureParams(net=FileNet(nn.Linear(1, 1)))])
def test_parameters_without_a_file(params):
    assert network_file(params) is None and module.run_network(params) is None


def test_a_network_is_looked_for_as_the_wrapper_does(clean_environment):
    path = clean_environment / 'networks' / 'x.pth.tar'
    path.parent.mkdir()
    path.write_bytes(b'x')
    assert network_file(FeatureParams(net=FileNet('x.pth.tar'))) == path
    assert network_file(FeatureParams(net=FileNet(path.parent))) is None
    with pytest.raises(UserError, match=r"'y.pth.tar' not found; looked for"):
        network_file(FeatureParams(net=FileNet('y.pth.tar')))


def test_speeds_are_not_mixed(tmp_path, networks):
    folder = tmp_path / 'r'
    write_record(folder, record_of(networks[0], 'plain'))
    (folder / 's0.txt').write_text('1\t1\t1\t1\n')
    for speed in ('plain', ''):
        check_record(folder, record_of(networks[0], speed))
    with pytest.raises(UserError, match=r'were made with --speed plain, now it is exact: use --speed plain, --runid'):
        check_record(folder, record_of(networks[0], 'exact'))
    write_record(folder, record_of(networks[0]))
    check_record(folder, record_of(networks[0], 'exact'))  # a record of an earlier version says nothing of it


def test_a_record_that_breaks_leaves_the_old_one(tmp_path, networks, monkeypatch):
    write_record(tmp_path / 'r', record_of(networks[0]))
    old = (tmp_path / 'r' / RECORD).read_text()

    def fail(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(KeyboardInterrupt):
        write_record(tmp_path / 'r', record_of(networks[1]))
    assert [path.name for path in (tmp_path / 'r').iterdir()] == [RECORD]
    assert (tmp_path / 'r' / RECORD).read_text() == old
    check_record(tmp_path / 'r', record_of(networks[1]))  # no results there


def test_a_network_that_cannot_be_loaded_is_one_mistake(sequences, clean_environment):
    path = clean_environment / 'networks' / 'absent.pth.tar'
    path.parent.mkdir()
    path.write_bytes(b'no network')
    tracker = Tracker('dummy', 'absent')
    with pytest.raises(UserError, match='absent'):
        run_dataset(sequences, [tracker])
    assert not tracker.results_dir.exists()


@pytest.mark.slow
def test_processes_keep_to_the_network_too(sequences, networks, tmp_path, monkeypatch):
    monkeypatch.setenv('DUMMY_WORKER_NET', str(networks[1]))
    tracker = Tracker('dummy', 'networked', results_path=tmp_path / 'pool')
    assert run_dataset(sequences, [tracker], threads=2).count('done') == 2
    assert 'one.pth.tar' in (tracker.results_dir / RECORD).read_text()
    monkeypatch.setenv('DUMMY_WORKER_CROP', '2')
    report = run_dataset(sequences, [Tracker('dummy', 'networked', 1)], threads=2)
    assert ['changed during the run' in outcome.message for outcome in report.failures] == [True, True]
