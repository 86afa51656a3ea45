"""Attributes, lists of sequences, and ground truth without images."""

from __future__ import annotations

import numpy as np
import pytest

from cmd_plugin.datasets.thermal import LSOTB_ATTRIBUTES, PTB_ATTRIBUTES
from ltr.admin.errors import UserError
from pytracking.evaluation import get_dataset
from pytracking.evaluation.running import run_dataset
from pytracking.evaluation.tracker import Tracker
from tests.evaluation.conftest import box_path, write_sequence

SETS = {'lsotb_tir': LSOTB_ATTRIBUTES, 'ptb_tir': PTB_ATTRIBUTES}


def write_attributes(folder, sequence, flags) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f'{sequence}.txt').write_text(','.join(map(str, flags)) + '\n')


def test_there_are_16_and_10_attributes():
    assert [len(set(names)) for names in SETS.values()] == [16, 10]


@pytest.mark.parametrize('name', SETS)
@pytest.mark.parametrize('place', ['data/anno/att', 'anno/att', 'elsewhere'])
def test_attributes_lie_in_or_beside_the_root_or_where_they_are_said_to_be(tmp_path, monkeypatch, name, place):
    root = tmp_path / 'data'
    for sequence in ('a', 'b'):
        write_sequence(root / sequence, box_path())
    known = SETS[name]
    write_attributes(tmp_path / place, 'a', [1] + [0] * (len(known) - 2) + [1])
    write_attributes(tmp_path / place, 'b', [0] * len(known))
    if place == 'elsewhere':
        monkeypatch.setenv(f'PYTRACKING_{name.upper()}_ATTRIBUTES_PATH', str(tmp_path / place))
    sequences = get_dataset(name, root=root)
    assert sequences['a'].attributes == {'Deformation', known[-1]} and sequences['b'].attributes == frozenset()
    assert sequences['a'].first(2).attributes == sequences['a'].attributes
    assert get_dataset('folder', root=root)['a'].attributes == frozenset()


def test_no_attributes_at_all_is_no_mistake_but_a_missing_one_is_told(tmp_path, capsys):
    for sequence in ('a', 'b'):
        write_sequence(tmp_path / sequence, box_path())
    assert get_dataset('lsotb_tir', root=tmp_path)['a'].attributes == frozenset()
    assert capsys.readouterr().err == ''
    write_attributes(tmp_path / 'anno' / 'att', 'b', [0] * 16)
    get_dataset('lsotb_tir', root=tmp_path)
    assert '1 of 2 sequences without an attribute file' in capsys.readouterr().err


@pytest.mark.parametrize(('text', 'message'), [
    ('0,1\n', 'line 1: expected 16 numbers, found 2'), (','.join('0' * 17), 'line 1: expected 16 numbers, found 17'),
    (','.join('2' * 16), 'attributes are 0 or 1'), ('', 'expected one line of 16 attributes, found 0'),
    ((','.join('1' * 16) + '\n') * 2, 'expected one line of 16 attributes, found 2'),
    ('\n' + ','.join('1' * 16), 'expected one line of 16'),
])
def test_attribute_files_of_another_set(tmp_path, text, message):
    write_sequence(tmp_path / 'a', box_path())
    write_attributes(tmp_path / 'anno' / 'att', 'a', '')
    (tmp_path / 'anno' / 'att' / 'a.txt').write_text(text)
    with pytest.raises(UserError, match=rf'a\.txt.*{message}'):
        get_dataset('lsotb_tir', root=tmp_path)


def test_a_folder_of_attributes_that_is_not_there(tmp_path, monkeypatch):
    write_sequence(tmp_path / 'a', box_path())
    monkeypatch.setenv('PYTRACKING_PTB_TIR_ATTRIBUTES_PATH', str(tmp_path / 'gone'))
    with pytest.raises(UserError, match='PYTRACKING_PTB_TIR_ATTRIBUTES_PATH: no folder'):
        get_dataset('ptb_tir', root=tmp_path)


def test_a_list_of_sequences_in_place_of_a_folder(tmp_path):
    for sequence in ('a', 'b', 'deep/c', 'deep/d'):
        write_sequence(tmp_path / sequence, box_path())
    (tmp_path / 'd_broken' / 'img').mkdir(parents=True)
    listed = tmp_path / 'some.txt'
    listed.write_text('b\r\n\ndeep/c\n')
    assert [item.name for item in get_dataset('lsotb_tir', root=listed)] == ['b', 'c']
    listed.write_text('b\nx\n')
    with pytest.raises(UserError, match=r"1 of 2 listed sequences are not below .*such as 'x'"):
        get_dataset('lsotb_tir', root=listed)
    listed.write_text('\n')
    with pytest.raises(UserError, match='lists no sequence'):
        get_dataset('lsotb_tir', root=listed)


def test_ground_truth_without_images(tmp_path):
    for name, boxes in (('s10', box_path(3)), ('s9', [(0, 0, 0, 0), *box_path(1)])):
        (tmp_path / f'{name}.txt').write_text('\n'.join('\t'.join(map(str, box)) for box in boxes))
    sequences = get_dataset('annotations', root=tmp_path)
    assert [(item.name, len(item)) for item in sequences] == [('s9', 2), ('s10', 3)]
    np.testing.assert_allclose(sequences['s10'].ground_truth_rect, box_path(3))
    (tmp_path / 'list.lst').write_text('s9\n')
    assert len(get_dataset('annotations', root=tmp_path / 'list.lst')) == 1
    report = run_dataset(sequences, [Tracker('dummy', 'default')])
    assert len(report.failures) == 2


@pytest.mark.parametrize(('files', 'message'), [
    ({}, 'no ground truth in'), ({'a.txt': ''}, r'a\.txt has no rows'),
    ({'a.txt': '1,2,3'}, r'a\.txt, line 1: expected 4'),
])
def test_ground_truth_that_is_none(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        get_dataset('annotations', root=tmp_path)
    (tmp_path / 'list').write_text('b')
    with pytest.raises(UserError, match=r'has no b\.txt'):
        get_dataset('annotations', root=tmp_path / 'list')


def test_attributes_of_sequences_that_share_a_name_are_found_by_their_folders(tmp_path, capsys):
    for folder in ('x', 'y'):
        write_sequence(tmp_path / folder / 'a', box_path())
    write_attributes(tmp_path / 'anno' / 'att', 'a', [1] + [0] * 15)
    found = get_dataset('lsotb_tir', root=tmp_path)
    assert len(found) == 2 and all(sequence.attributes for sequence in found)
    assert 'without an attribute file' not in capsys.readouterr().err
