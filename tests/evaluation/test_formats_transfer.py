"""`python -m pytracking.results`: whole data sets in and out, and what a user can get wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking import results
from pytracking.analysis.evaluate import evaluate
from pytracking.evaluation import Sequence, get_dataset
from pytracking.evaluation.formats import FORMATS
from pytracking.evaluation.results import read_boxes, read_seconds, write_results
from pytracking.evaluation.transfer import transfer

TRUTH = np.array([[5, 6, 8, 9], [6, 6, 8, 9], [7, 6, 8, 9.5]])


@pytest.fixture
def truth(tmp_path) -> Path:
    """Ground truth of three sequences; one name begins with another."""
    folder = tmp_path / 'truth'
    folder.mkdir()
    for name in ('car', 'car_D_001', 'dog'):
        np.savetxt(folder / f'{name}.txt', TRUTH, delimiter=',')
    return folder


@pytest.fixture
def ours(tmp_path, truth) -> Path:
    folder = tmp_path / 'results' / 'eco' / 'published'
    for i, item in enumerate(get_dataset('annotations', root=truth)):
        boxes = TRUTH + np.array([0.1234 * i, 0, 0, 0])
        boxes[0] = TRUTH[0]
        write_results(folder, item.name, boxes, np.array([1.5, 0.25, 0.125]))
    return folder


def run(direction: str, form: str, source: Path, target: Path, truth: Path, *more: str) -> int:
    return results.main([direction, '--format', form, '--dataset', 'annotations', '--data', str(truth), *more,
                         str(source), str(target)])


@pytest.mark.parametrize('form', FORMATS)
def test_out_and_in_again(form, ours, truth, tmp_path, capsys):
    there, back = tmp_path / 'there', tmp_path / 'back'
    assert run('export', form, ours, there, truth, '--tracker', 'ECO') == 0
    assert run('import', form, there, back, truth) == 0
    assert capsys.readouterr().out == f'exported 3 sequences to {there}\nimported 3 sequences to {back}\n'
    for item in get_dataset('annotations', root=truth):
        np.testing.assert_allclose(read_boxes(back, item), read_boxes(ours, item), atol=2.1e-4)
        seconds = read_seconds(back, item)
        assert (seconds is None) == (form in ('mat', 'vot'))
        assert seconds is None or seconds.tolist() == [1.5, 0.25, 0.125]


@pytest.mark.parametrize(('form', 'file'), [
    ('tab', 'dog.txt'), ('corners', 'dog.txt'), ('mat', 'dog_ECO.mat'), ('got10k', 'dog/dog_001.txt'),
    ('vot', 'dog/dog_001.txt')])
def test_names_of_files(form, file, ours, truth, tmp_path):
    run('export', form, ours, tmp_path / 'there', truth, '--tracker', 'ECO')
    assert (tmp_path / 'there' / file).is_file()


def test_vot_files_may_lie_flat(truth, tmp_path):
    for name in ('car', 'dog'):
        (tmp_path / f'{name}_001.txt').write_text('1\n6,6,8,9\n7,6,8,9\n')
    assert run('import', 'vot', tmp_path, tmp_path / 'back', truth) == 0
    [_, _, dog] = get_dataset('annotations', root=truth)
    np.testing.assert_array_equal(read_boxes(tmp_path / 'back', dog), [[5, 6, 8, 9], [6, 6, 8, 9], [7, 6, 8, 9]])


def test_mat_files_of_several_trackers(ours, truth, tmp_path):
    there = tmp_path / 'there'
    for tracker in ('ECO', 'KCF_2'):
        run('export', 'mat', ours, there, truth, '--tracker', tracker)
    with pytest.raises(UserError, match=r'2 results of car, such as car_ECO\.mat and car_KCF_2\.mat: say'):
        run('import', 'mat', there, tmp_path / 'back', truth)
    assert run('import', 'mat', there, tmp_path / 'back', truth, '--tracker', 'KCF_2') == 0


def test_sequences_without_a_result_are_counted(ours, truth, tmp_path, capsys):
    (ours / 'dog.txt').unlink()
    assert run('export', 'comma', ours, tmp_path / 'there', truth) == 0
    assert capsys.readouterr().out.endswith('; without a result: 1 (dog)\n')
    with pytest.raises(UserError, match=r'no result of 3 sequences in .*: car/car_001.txt or car_001.txt is expected'):
        run('import', 'got10k', ours, tmp_path / 'other', truth)


def test_a_mistake_in_one_leaves_nothing_half_done(ours, truth, tmp_path):
    (ours / 'dog.txt').write_text('1,2,3,4\n')
    with pytest.raises(UserError, match=r'dog\.txt has 1 rows, but the sequence dog has 3 frames'):
        run('export', 'comma', ours, tmp_path / 'there', truth)
    assert not (tmp_path / 'there').exists()


def test_nothing_is_replaced_unless_asked_for(ours, truth, tmp_path):
    there = tmp_path / 'there'
    run('export', 'comma', ours, there, truth)
    with pytest.raises(UserError, match=r'3 of these results are there already, such as .*--overwrite'):
        run('export', 'comma', ours, there, truth)
    (ours / 'dog_time.txt').unlink()
    assert run('export', 'comma', ours, there, truth, '--overwrite') == 0
    assert (there / 'car_time.txt').is_file() and not (there / 'dog_time.txt').exists()


def test_times_of_another_length_are_left_out(ours, truth, tmp_path):
    (ours / 'dog_time.txt').write_text('1\n2\n')
    run('export', 'got10k', ours, tmp_path / 'there', truth)
    assert not (tmp_path / 'there' / 'dog' / 'dog_time.txt').exists()


def test_what_was_exported_evaluates_alike(ours, truth, tmp_path):
    """A whole sequence serves for one that was cut, as everywhere."""
    sequences = [item.first(2) for item in get_dataset('annotations', root=truth)]
    transfer(sequences, ours, tmp_path / 'x', write_as='corners')
    transfer(sequences, tmp_path / 'x', tmp_path / 'y', read_as='corners')
    figures = [evaluate({item.name: read_boxes(folder, item) for item in sequences}, sequences, 'lsotb').success
               for folder in (ours, tmp_path / 'y')]
    assert figures[0] == figures[1]


@pytest.mark.parametrize(('arguments', 'message'), [
    (('import', '--format', 'matt'), "unknown format 'matt': did you mean 'mat'"),
    (('import', '--format', 'mat', '--dataset', 'annotation'), "unknown data set 'annotation': did you mean"),
    (('export', '--format', 'vot', '--dataset', 'annotations', '--data', 'truth'), 'no folder of results src'),
])
def test_mistakes_on_the_command_line(truth, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['results', *arguments, 'src', 'dst'])
    with pytest.raises(SystemExit) as stopped:
        results.entry()
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.startswith('error: ') and message in error and error.count('\n') == 1


@pytest.mark.slow
def test_real_results_of_lasher(shared_data, tmp_path):
    """Imported as they are published, they give the published figures."""
    folder = shared_data / 'lasher_results'
    target = tmp_path / 'mfdimp' / 'published'
    assert run('import', 'comma', folder / 'mfDiMP', target, folder / 'ground_truth') == 0
    sequences: list[Sequence] = get_dataset('annotations', root=folder / 'ground_truth')
    result = evaluate({item.name: read_boxes(target, item) for item in sequences}, sequences, 'lasher')
    got = (result.success, result.norm_precision, result.precision)
    assert [round(1000 * value) for value in got] == [343, 395, 447]
