"""`python -m pytracking.analyse` as a user calls it; mistakes are one line."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking import analyse
from pytracking.analysis.published import Published
from pytracking.evaluation import Tracker
from pytracking.evaluation.folderdataset import FolderDataset
from pytracking.evaluation.results import write_results
from tests.evaluation.analysed import make_sequences, save_tracker
from tests.evaluation.conftest import box_path, write_sequence


@pytest.fixture
def files(tmp_path):
    """Annotations and two trackers, on disk; their common arguments."""
    sequences = make_sequences()
    (tmp_path / 'truth').mkdir()
    for sequence in sequences:
        np.savetxt(tmp_path / 'truth' / f'{sequence.name}.txt', sequence.ground_truth_rect, delimiter=',')
    save_tracker(tmp_path / 'results' / 'good', sequences, 1.0, 0)
    save_tracker(tmp_path / 'results' / 'deep' / 'poor', sequences, 9.0, 1)
    (tmp_path / 'results' / 'empty').mkdir()
    return ['--dataset', 'annotations', '--data', str(tmp_path / 'truth'), '--protocol', 'lsotb',
            '--results', str(tmp_path / 'results')]


def test_folders_of_results_are_compared(files, tmp_path, capsys):
    assert analyse.main([*files, '--bootstrap', 'good', 'deep/poor', '--csv', str(tmp_path / 'o' / 'a.csv'),
                         '--markdown', str(tmp_path / 'o' / 'a.md'), '--latex', str(tmp_path / 'o' / 'a.tex'),
                         '--plots', str(tmp_path / 'o' / 'plots'), '--top', '1']) == 0
    out, err = capsys.readouterr()
    assert out.index('\ngood ') < out.index('\ndeep/poor ') and 'protocol lsotb, 4 sequences, 120 frames' in out
    assert 'good - deep/poor' in out and '95 % percentile interval' in out and '... 2 more ...' in out
    assert 'without a result of these sequences: 1 of 4 folders' in err and 'no radar' in err
    assert {path.name for path in (tmp_path / 'o').iterdir()} == {'a.csv', 'a.md', 'a.tex', 'plots'}
    assert analyse.main([*files, 'good', '--top', '0']) == 0
    out, err = capsys.readouterr()
    assert 'deep/poor' not in out and 'by sequence' not in out and err == ''


def test_trackers_by_name_on_a_data_set(tmp_path, capsys):
    for name in ('x', 'y'):
        write_sequence(tmp_path / 'data' / name, box_path())
    for run, shift in ((None, 0.0), (2, 30.0)):
        tracker = Tracker('t', 'p', run)
        for name in ('x', 'y'):
            write_results(tracker.results_dir, name, np.array(box_path()) + np.array([shift, 0, 0, 0]), np.full(5, 0.1))
    assert analyse.main(['t/p', 't/p:2', '--data', str(tmp_path / 'data'), '--protocol', 'ptb']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[3:5]] == [['t/p', '95.2', '100.0', '10.0'],
                                                     ['t/p', '#2', '19.0', '20.0', '10.0']]
    assert any(line.startswith('protocol ptb, 2 sequences') for line in lines)


def test_missing_results_are_skipped_on_demand_and_counted(files, tmp_path, capsys):
    (tmp_path / 'results' / 'good' / 'b.txt').unlink()
    with pytest.raises(UserError, match="no result for the sequence 'b'"):
        analyse.main(files)
    assert analyse.main([*files, '--skip-missing']) == 0
    captured = capsys.readouterr()
    assert '1 without a result of every tracker' in captured.err and '3 sequences' in captured.out


@pytest.mark.parametrize(('arguments', 'message'), [
    ([], 'nothing to analyse'),
    (['nonsense'], "'nonsense' is not of the form TRACKER/PARAM"),
    (['t/p:x'], 'is not of the form'),
    (['t/p'], 'no results of t/p: .* does not exist; run the tracker first'),
    (['--results', '{tmp}/none'], 'the folder of results does not exist'),
    (['--results', '{tmp}/results/empty'], 'no result of these sequences below'),
    (['--results', '{tmp}/results', 'god'], "unknown folder of results in .* 'god': did you mean 'good'"),
    (['--results', '{tmp}/results', 'good', 'good'], 'good is named 2 times'),
    (['--results', '{tmp}/results', '--bootstrap', 'god', 'good'], "unknown tracker of --bootstrap 'god': did you"),
    (['--results', '{tmp}/results', '--attributes'], 'names no attributes'),
    (['--results', '{tmp}/results', '--draws', '0'], '--draws must be at least 1'),
    (['--results', '{tmp}/results', '--embed-frames', '3'], '--embed-frames needs --html'),
    (['--results', '{tmp}/results', '--csv', '{tmp}'], '--csv .* is a folder: name a file'),
    (['--results', '{tmp}/results', '--plots', '{tmp}/truth/a.txt'], '--plots .* is a file'),
    (['--results', '{tmp}/results', '--protocol', 'lsotp'], "unknown protocol 'lsotp': did you mean 'lsotb'"),
])
def test_a_user_s_mistake_is_one_line(files, tmp_path, arguments, message):
    command = [argument.replace('{tmp}', str(tmp_path)) for argument in arguments]
    with pytest.raises(UserError, match=message) as caught:
        analyse.main([*files[:6], *command])
    assert '\n' not in str(caught.value)


def test_a_file_that_cannot_be_written_is_one_line(files, tmp_path):
    for option in ('--csv', '--html', '--markdown'):
        with pytest.raises(UserError, match=r'cannot write .*a\.txt'):
            analyse.main([*files, option, str(tmp_path / 'truth' / 'a.txt' / 'x')])


def test_the_folder_of_one_tracker_is_that_tracker(files, tmp_path, capsys):
    assert analyse.main([*files[:6], '--results', str(tmp_path / 'results' / 'good')]) == 0
    assert '\ngood ' in capsys.readouterr().out
    with pytest.raises(UserError, match=r"unknown folder of results in .* 'x': known: good"):
        analyse.main([*files[:6], '--results', str(tmp_path / 'results' / 'good'), 'x'])


def tagged(root):
    return FolderDataset(root, 'tagged', 'lsotb', attribute_names=('Fast', 'Small', 'Far'))


def published():
    return [Published('Theirs', 0.25, None, None, 'a paper', None, 'lsotb'),
            Published('Theirs', 0.125, None, None, 'a paper', 'Small', 'lsotb')]


entry_points = {'pytracking.datasets': {'tagged': f'{__name__}:tagged'},
                'pytracking.published': {'tagged': f'{__name__}:published'}}


def test_attributes_from_the_data_set_s_files_and_published_figures(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('PYTRACKING_PLUGINS', f'mine={__name__}')
    (tmp_path / 'data' / 'anno' / 'att').mkdir(parents=True)
    for name, shift, attributes in (('x', 0.0, '1,1,0'), ('y', 30.0, '0,1,1')):
        write_sequence(tmp_path / 'data' / name, box_path())
        (tmp_path / 'data' / 'anno' / 'att' / f'{name}.txt').write_text(attributes)
        write_results(tmp_path / 'r' / 't', name, np.array(box_path()) + np.array([shift, 0, 0, 0]), np.full(5, 0.1))
    command = ['--dataset', 'tagged', '--data', str(tmp_path / 'data'), '--results', str(tmp_path / 'r')]
    assert analyse.main([*command, '--attributes', '--plots', str(tmp_path / 'plots'),
                         '--html', str(tmp_path / 'a.html')]) == 0
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert ['Theirs', '(published)', '25.0', '-', '-', '-'] in lines
    start = lines.index(['Success', 'by', 'attribute,', 'x', '100'])
    assert lines[start + 3:start + 6] == [['Far', '1', '19.0'], ['Fast', '1', '95.2'], ['Small', '2', '57.1']]
    other = lines.index(['Success', 'by', 'attribute,', 'x', '100,', 'as', 'published'])
    assert lines[other + 3:other + 6] == [['Far', '-'], ['Fast', '-'], ['Small', '12.5']]
    assert (tmp_path / 'plots' / 'attributes.png').is_file() and err == ''
    with pytest.raises(UserError, match="unknown data set with published figures 'taged': did you mean 'tagged'"):
        analyse.main([*command, '--published', 'taged'])


@pytest.mark.slow
def test_real_results_give_the_published_figures(shared_data, tmp_path, capsys):
    """LasHeR's 245 sequences, 220,703 frames, two trackers: by the command, into the page."""
    folder = shared_data / 'lasher_results'
    if not folder.is_dir():
        pytest.skip(f'{folder} is absent')
    page = tmp_path / 'page.html'
    assert analyse.main(['--dataset', 'annotations', '--data', str(folder / 'ground_truth'), '--protocol', 'lasher',
                         '--results', str(folder), 'mfDiMP', 'APFNet', '--top', '0', '--html', str(page)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ['APFNet', '36.2', '50.0', '43.9', '-'] in lines and ['mfDiMP', '34.3', '44.7', '39.5', '-'] in lines
    assert page.stat().st_size < 10e6


def test_the_entry_ends_with_an_honest_status(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['analyse'])
    with pytest.raises(SystemExit) as caught:
        analyse.entry()
    assert caught.value.code == 2 and capsys.readouterr().err.startswith('error: nothing to analyse')
