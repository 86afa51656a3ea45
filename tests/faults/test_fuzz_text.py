"""Damaged text of numbers: annotations, attributes, tracks, results of every form."""

from __future__ import annotations

import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.data.box_text import read_table
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.folderdataset import FolderDataset
from pytracking.evaluation.formats import FORMATS
from pytracking.evaluation.readers import mot_runs, read_attributes
from pytracking.evaluation.results import read_boxes
from tests.faults.fuzzing import TALLY, attempt, damaged

BOXES = np.array([[10.5, 20.25, 30, 40], [11, 21, 30, 40], [12.75, 22, 31, 41], [13, 23.5, 31, 41]])
SEQUENCE = Sequence('a', ['0001.png'] * 4, 'test', BOXES)
NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?')
CELLS = st.one_of(st.sampled_from(['1', '2.5', '-3', '1e3', 'nan', 'inf', '', '1_0', '0x1', '١', '1e999', '1,2', 'a',
                                   '\ufeff1', '1;2', '\u2028', '\x1c', '\0', '1\r']), st.floats().map(repr),
                  st.text(max_size=4))
LINES = st.lists(st.lists(CELLS, max_size=6).map(', '.join), max_size=6).map('\n'.join)
fuzz = settings(max_examples=50, deadline=None, derandomize=True, database=None)


def plain_numbers(text: str) -> list[list[float]]:
    """What the lines say, read in the plainest way; an empty line is four NaN."""
    rows = []
    for line in text.lstrip('\ufeff').rstrip().splitlines():
        cells = [cell for cell in re.split(r'[,;\s]+', line) if cell]
        rows.append([float(cell) if NUMBER.fullmatch(cell) and math.isfinite(float(cell)) else math.nan
                     for cell in cells] or [math.nan] * 4)
    return rows


@fuzz
@given(text=LINES)
def test_any_text_as_annotation(text):
    path = Path(_folder(), 'groundtruth_rect.txt')
    path.write_bytes(text.encode('utf-8', 'surrogatepass'))
    table = attempt('annotations', lambda: read_table(path, 4), path)
    if table is not None:
        np.testing.assert_array_equal(table, np.array(plain_numbers(path.read_text(encoding='utf-8', errors='replace')),
                                                      float).reshape(-1, 4))


def _folder() -> str:
    import tempfile
    _folder.made = getattr(_folder, 'made', None) or tempfile.TemporaryDirectory()
    return _folder.made.name


def text_of(boxes: np.ndarray, separator: str = ',') -> bytes:
    return ''.join(separator.join(f'{value:g}' for value in box) + '\n' for box in boxes).encode()


def test_damaged_sequence_folders(tmp_path):
    """A folder with its images: the number of rows is held against them."""
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    (tmp_path / 'a' / 'img').mkdir(parents=True)
    for number in range(4):
        assert cv2.imwrite(str(tmp_path / 'a' / 'img' / f'{number + 1:04d}.png'), image)
    path = tmp_path / 'a' / 'groundtruth_rect.txt'
    rng = np.random.default_rng(1)
    for _ in range(30):
        path.write_bytes(damaged(text_of(BOXES), rng))
        found = attempt('annotations', lambda: FolderDataset(tmp_path).get_sequence_list(), path, tmp_path)
        if found is not None:
            # a frame that cannot be the first is left out, and said
            assert len(found[0].frames) <= 4 and found[0].ground_truth_rect.shape[1] == 4
            assert len(found[0].ground_truth_rect) in (1, len(found[0].frames))
            assert (found[0].ground_truth_rect[0] > 0).all()


def test_damaged_tracks_and_attributes(tmp_path):
    tracks = ''.join(f'{frame},{identity},{10 + frame},20,30,40,1,1,0.5\n' for identity in (1, 2) for frame in
                     range(1, 9)).encode()
    rng = np.random.default_rng(2)
    for _ in range(30):
        path = tmp_path / 'gt.txt'
        path.write_bytes(damaged(tracks, rng))
        for identity, frames, boxes in attempt('tracks', lambda path=path: mot_runs(path, 3), path) or ():
            assert isinstance(identity, int) and (np.diff(frames) == 1).all() and boxes.shape == (len(frames), 4)
        path = tmp_path / 'a.txt'
        path.write_bytes(damaged(b'0,1,0,1,1,0,0,0,1,0\n', rng))
        found = attempt('attributes', lambda path=path: read_attributes(path, [f'n{i}' for i in range(10)]), path)
        assert found is None or found == {f'n{i}' for i, cell in enumerate(plain_numbers(path.read_text())[0]) if cell}


@pytest.mark.parametrize('name', list(FORMATS))
def test_damaged_results(tmp_path, name):
    form = FORMATS[name]
    place = tmp_path / form.places('a', 'tracker')[0]
    form.write(place, BOXES)
    whole = place.read_bytes()
    np.testing.assert_allclose(form.read(place, SEQUENCE), BOXES, atol=1e-4)
    rng = np.random.default_rng(list(FORMATS).index(name))
    for _ in range(80 if name == 'mat' else 24):
        place.write_bytes(damaged(whole, rng))
        boxes = attempt(f'results: {name}', lambda: form.read(place, SEQUENCE), place)
        assert boxes is None or (boxes.ndim == 2 and boxes.shape[1] == 4 and boxes.dtype == np.float64)


@fuzz
@given(text=LINES)
@pytest.mark.parametrize('name', ['tab', 'vot', 'corners'])
def test_any_text_as_result(name, text):
    path = Path(_folder(), 'a.txt')
    path.write_bytes(text.encode('utf-8', 'surrogatepass'))
    boxes = attempt(f'results: {name}', lambda: FORMATS[name].read(path, SEQUENCE), path)
    if boxes is not None:
        assert not np.isinf(boxes).any()
        own = attempt(f'results: {name}', lambda: read_boxes(path.parent, SEQUENCE), path)
        assert own is None or len(own) == 4


def test_enough_cases(capsys):
    assert TALLY.cases('annotations') >= 70
    assert sum(TALLY.cases(f'results: {name}') for name in FORMATS) >= 250
    with capsys.disabled():
        print('\n' + TALLY.table())
