"""LSOTB-TIR for the stock toolkit gives what our own data set gives."""

from __future__ import annotations

import numpy as np
import pytest

from cmd_plugin.upstream import sequences
from pytracking.evaluation import get_dataset


@pytest.fixture
def root(thermal, monkeypatch):
    monkeypatch.setenv('PYTRACKING_LSOTB_TIR_PATH', str(thermal))
    return thermal


def test_as_our_own(root):
    found, own = sequences.lsotb_tir().get_sequence_list(), get_dataset('lsotb_tir')
    assert len(found) == len(own) == 2
    for one, other in zip(found, own, strict=True):
        assert (one.name, one.frames, one.dataset) == (other.name, other.frames, other.dataset)
        np.testing.assert_array_equal(one.ground_truth_rect, other.ground_truth_rect)
    assert [frame[-6:] for frame in found[0].frames] == ['/1.png', '/2.png', '10.png']


def test_a_name_that_occurs_twice_and_a_late_start(root, tmp_path, monkeypatch):
    import shutil
    for part in ('a', 'b'):
        shutil.copytree(root / 'cat_S_001', tmp_path / 'all' / part / 'cat_S_001')
    (tmp_path / 'all' / 'b' / 'cat_S_001' / 'groundtruth_rect.txt').write_text('0 0 0 0\n5 5 5 5\nNaN,NaN,NaN,NaN\n')
    monkeypatch.setenv('PYTRACKING_LSOTB_TIR_PATH', str(tmp_path / 'all'))
    found = sequences.lsotb_tir().get_sequence_list()
    assert [sequence.name for sequence in found] == ['a_cat_S_001', 'b_cat_S_001']
    assert len(found[1].frames) == 2 and found[1].ground_truth_rect[0].tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize(('text', 'message'), [
    ('1 2 3 4\n', None), ('1 2 3 4\n1 2 3\n1 2 3 4\n', 'line 2: expected 4 numbers'),
    ('1 2 3 4\n1 2 3 4\n', 'has 2 rows, but'), ('0 0 0 0\n' * 3, 'has no row whose'), ('', 'has 0 rows')])
def test_bad_ground_truth(root, tmp_path, monkeypatch, capsys, text, message):
    import shutil
    shutil.copytree(root / 'cat_S_001', tmp_path / 'x' / 'cat_S_001')
    (tmp_path / 'x' / 'cat_S_001' / 'groundtruth_rect.txt').write_text(text)
    monkeypatch.setenv('PYTRACKING_LSOTB_TIR_PATH', str(tmp_path / 'x'))
    if message is None:
        assert len(sequences.lsotb_tir().get_sequence_list()) == 1
        return
    with pytest.raises(SystemExit) as ended:
        sequences.lsotb_tir().get_sequence_list()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ') and message in error and error.count('\n') == 1


@pytest.mark.parametrize(('value', 'message'), [
    ('', 'no folder is set'), ('/does/not/exist', 'does not exist'), ('EMPTY', 'no sequence below')])
def test_no_data(tmp_path, monkeypatch, capsys, value, message):
    (tmp_path / 'e').mkdir()
    monkeypatch.setenv('PYTRACKING_PTB_TIR_PATH', str(tmp_path / 'e') if value == 'EMPTY' else value)
    with pytest.raises(SystemExit):
        sequences.ptb_tir().get_sequence_list()
    assert message in capsys.readouterr().err
