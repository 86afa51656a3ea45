"""Text files of boxes: what is a row, what is a frame without the target, and what is a mistake."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from ltr.data.box_text import read_table

NAN = [float('nan')] * 4


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('text') / 'boxes.txt'


@pytest.mark.parametrize('line', [
    '1.5,2,3,4', '1.5;2;3;4', '1.5\t2\t3\t4', '1.5 2 3 4', ' 1.5,  2 , 3,\t4 ', '1.5,2;3,4', '1.5,2,3,4,',
    '1.5;2;3;4; ', '1.5\t2\t3\t4\t', '1.5   2 3 4 ', '15e-1,+2,3.0,4'])
def test_rows(path, line):
    path.write_text(f'{line}\n5,6,7,8\n')
    assert read_table(path, 4).tolist() == [[1.5, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize('line', ['', '   ', '\t', ',,,', ';;;', ', , ,', 'nan,nan,nan,nan', 'NaN NaN NaN NaN'])
def test_rows_without_a_box(path, line):
    path.write_text(f'1,2,3,4\n{line}\n5,6,7,8\n\n \n')
    np.testing.assert_array_equal(read_table(path, 4), [[1, 2, 3, 4], NAN, [5, 6, 7, 8]])


@pytest.mark.parametrize('word', ['inf', '-inf', 'Infinity', '1e999', 'nan'])
def test_what_is_not_finite_is_nan(path, word):
    path.write_text(f'1,{word},3,4\n')
    np.testing.assert_array_equal(read_table(path, 4), [[1, np.nan, 3, 4]])


@pytest.mark.parametrize(('line', 'message'), [
    ('1,2,3', 'line 2: expected 4 numbers, found 3'), ('1,,2,3,4', 'line 2: expected 4 numbers, found 5'),
    ('1,2,3,4,,', 'line 2: expected 4 numbers, found 5'), ('1,2,,4', "line 2: not a row of numbers: '1,2,,4'"),
    ('1 2 3 4 5', 'found 5'), ('x,y,w,h', "line 2: not a row of numbers: 'x,y,w,h'"), ('1,2 3,4', 'found 3'),
    ('0x1,2,3,4', 'line 2: not a row'), ('1:2:3:4', 'found 1')])
def test_mistakes_name_the_line(path, line, message):
    path.write_text(f'1,2,3,4\n{line}\n')
    with pytest.raises(UserError, match=message):
        read_table(path, 4)


def test_longer_rows_and_no_rows(path, tmp_path):
    path.write_text('1,2,3,4,5,6,7\n\n1,2,3,4,5,6\n')
    assert read_table(path, 3, 5).shape == (3, 5) and read_table(path, 3, 9).shape == (3, 6)
    path.write_text('\n\n')
    assert read_table(path, 4).shape == (0, 4)
    with pytest.raises(UserError, match=r'cannot read .*none\.txt'):
        read_table(tmp_path / 'none.txt', 4)
    path.write_bytes(b'\xff\xfe1,2,3,4')
    with pytest.raises(UserError, match='line 1: not a row'):
        read_table(path, 4)


def test_byte_order_mark_and_windows_lines(path):
    path.write_bytes('\ufeff1,2,3,4\r\n5,6,7,8\r\n\r\n'.encode())
    assert read_table(path, 4).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@given(rows=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=1, max_size=5),
       separator=st.sampled_from([',', ';', '\t', ' ', ', ', ' ; ']))
def test_numbers_survive(path, rows, separator):
    path.write_text('\n'.join(separator.join(map(repr, row)) for row in rows))
    assert read_table(path, 4).tolist() == rows
