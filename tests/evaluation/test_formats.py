"""Other toolkits' result files: what was written can be read, and known lines mean what they should."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats import FORMATS, mat, text, vot
from pytracking.evaluation.formats.corners import corners_of, enclosing

# four decimals are kept
NUMBER = st.integers(-10**7, 10**7).map(lambda k: k / 10**4)
SIZE = st.integers(1, 10**7).map(lambda k: k / 10**4)
BOXES = st.lists(st.one_of(st.tuples(NUMBER, NUMBER, SIZE, SIZE), st.just((np.nan,) * 4)), min_size=1, max_size=12)


def sequence(boxes) -> Sequence:
    return Sequence('s', [''] * len(boxes), 'd', boxes)


@pytest.mark.parametrize('name', FORMATS)
@settings(max_examples=40, deadline=None)
@given(rows=BOXES, first=st.tuples(NUMBER, NUMBER, SIZE, SIZE))
def test_what_was_written_is_read(name, rows, first):
    """VOT keeps no first box but the given one, so that is what the tracker starts with here."""
    boxes = np.array([first, *rows])
    before = boxes.copy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'a' / 'b.file'
        FORMATS[name].write(path, boxes)
        read = FORMATS[name].read(path, sequence(boxes))
        assert [item.name for item in path.parent.iterdir()] == ['b.file']
    np.testing.assert_allclose(read, boxes, atol=2.1e-4 if name == 'corners' else 1e-9)
    np.testing.assert_array_equal(boxes, before)


@settings(max_examples=60, deadline=None)
@given(st.tuples(NUMBER, NUMBER, SIZE, SIZE), st.permutations(range(4)))
def test_the_order_of_corners_does_not_count(box, order):
    boxes = np.array([box])
    corners = corners_of(boxes).reshape(1, 4, 2)[:, order].reshape(1, 8)
    np.testing.assert_allclose(enclosing(corners), boxes, atol=1e-9)


@pytest.mark.parametrize('line', ['1,2,3,4', '1\t2\t3\t4', '1 2 3 4', '1, 2, 3, 4,', '1;2;3;4', '1,2,4,2,4,6,1,6',
                                  '1.0 2.0 4.0 2.0 4.0 6.0 1.0 6.0'])
def test_any_text_of_boxes(tmp_path, line):
    (tmp_path / 'a.txt').write_text(f'\ufeff{line}\r\n{line}\n', encoding='utf-8')
    np.testing.assert_array_equal(text.read(tmp_path / 'a.txt'), [[1, 2, 3, 4]] * 2)


@pytest.mark.parametrize(('content', 'message'), [
    ('', 'found 0'), ('1,2,3\n', 'found 3'), ('1,2,3,4,5\n', 'found 5'),
    ('1,2,3,4\n1,2,3,4,5,6,7,8\n', 'line 2: expected 4 numbers, found 8'),
    ('1,2,3,4,5,6,7,8\n1,2,3,4\n', 'line 2: expected 8 numbers, found 4'),
    ('a,b,c,d\n', 'line 1: not a row of numbers'),
])
def test_text_that_holds_no_boxes(tmp_path, content, message):
    (tmp_path / 'a.txt').write_text(content)
    with pytest.raises(UserError, match=f'a.txt.*{message}'):
        text.read(tmp_path / 'a.txt')


def test_vot_codes(tmp_path):
    path = tmp_path / 's_001.txt'
    path.write_text('1\n10,20,30,40\n0\n5,0,10,5,5,10,0,5\n\n')
    read = vot.read(path, sequence([[1, 2, 3, 4.5]] * 4))
    np.testing.assert_array_equal(read, [[1, 2, 3, 4.5], [10, 20, 30, 40], [np.nan] * 4, [0, 0, 10, 10]])
    vot.write(path, read)
    assert path.read_text().splitlines()[:3] == ['1', '10.0000,20.0000,30.0000,40.0000', '0']


@pytest.mark.parametrize(('content', 'message'), [
    ('1\n2\n0\n1\n', 'line 2: the tracker was started again'), ('1\n1,1,2,2\n1\n', 'line 3: the tracker was started'),
    ('1\nm0,0,3,3,1\n', 'line 2: not a box'), ('1\n1,2,3\n', 'line 2: expected a code'),
    ('1\n\n1,1,2,2\n', 'line 2: expected a code'), ('3\n', 'line 1: expected a code'),
])
def test_vot_runs_that_are_not_of_one_pass(tmp_path, content, message):
    (tmp_path / 'a.txt').write_text(content)
    with pytest.raises(UserError, match=f'a.txt, {message}'):
        vot.read(tmp_path / 'a.txt', sequence([[1, 2, 3, 4]] * 4))


def write_mat(path: Path, **variables) -> Path:
    scipy_io = pytest.importorskip('scipy.io')
    scipy_io.savemat(path, variables)
    return path


def test_mat_files_as_matlab_toolkits_leave_them(tmp_path):
    boxes = np.arange(8.0).reshape(2, 4)
    several = np.empty((1, 2), dtype=object)
    several[0, 0] = {'res': boxes, 'type': 'rect', 'len': 2, 'fps': 31.4, 'annoBegin': 1, 'startFrame': 1}
    several[0, 1] = {'res': boxes + 1, 'type': 'rect', 'len': 2}
    for content in (several, several[:, :1], {'res': boxes}):
        np.testing.assert_array_equal(mat.read(write_mat(tmp_path / 'a.mat', results=content)), boxes)
    one_frame = write_mat(tmp_path / 'b.mat', results={'res': boxes[:1].astype(np.int16), 'len': 1})
    np.testing.assert_array_equal(mat.read(one_frame), boxes[:1])


@pytest.mark.parametrize(('variables', 'message'), [
    ({'result': 1}, r'no variable results\{1\}\.res'), ({'results': 3}, r'no variable results\{1\}\.res'),
    ({'results': {'res': np.zeros((3, 6)), 'type': 'ivtAff'}}, "boxes of type 'ivtAff'"),
    ({'results': {'res': np.zeros((3, 6))}}, 'a row of x, y, w, h'),
    ({'results': {'res': 'abc'}}, 'a row of x, y, w, h'),
    ({'results': {'res': np.zeros((3, 4)), 'len': 4}}, 'len is 4, but res has 3 rows'),
])
def test_mat_files_that_hold_something_else(tmp_path, variables, message):
    with pytest.raises(UserError, match=f'a.mat.*{message}'):
        mat.read(write_mat(tmp_path / 'a.mat', **variables))


def test_mat_files_that_are_none(tmp_path):
    path = tmp_path / 'a.mat'
    with pytest.raises(UserError, match=r'cannot read .*a\.mat'):
        mat.read(path)
    path.write_bytes(b'')
    with pytest.raises(UserError, match=r'a\.mat is not a whole MATLAB file'):
        mat.read(path)
    path.write_bytes(b'MATLAB 7.3 MAT-file'.ljust(124) + b'\x00\x02IM' + b'\x00' * 400)
    with pytest.raises(UserError, match='save it with -v7'):
        mat.read(path)
    mat.write(path, np.random.default_rng(0).random((50, 4)))
    whole = path.read_bytes()
    for length in range(1, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r'a\.mat'):
            mat.read(path)
