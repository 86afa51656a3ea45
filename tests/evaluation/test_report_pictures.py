"""Frames in the page: linked, or embedded, or said to be absent."""

from __future__ import annotations

import base64
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr.admin.errors import UserError
from pytracking.analysis.report.pictures import Pictures, choose, is_shown, linked
from pytracking.evaluation import get_dataset
from tests.evaluation.conftest import box_path, write_sequence


def test_links_are_relative_and_quoted(tmp_path):
    odd = write_sequence(tmp_path / 'data' / 'a #1%?', box_path(3))
    uneven = write_sequence(tmp_path / 'data' / 'b', box_path(3), names=['x1.png', 'x3.png', 'y 4.png'])
    (tmp_path / 'out').mkdir()
    sequences = get_dataset('folder', root=tmp_path / 'data')
    pictures = Pictures(tmp_path / 'out')
    short, listed = (pictures.of(sequence.frames, ()) for sequence in sequences)
    assert short == {'folder': '../data/a%20%231%25%3F/img/', 'prefix': '', 'first': 1, 'width': 4, 'suffix': '.png'}
    assert listed == {'folder': '../data/b/img/', 'names': ['x1.png', 'x3.png', 'y%204.png']}
    for folder, found in ((odd, f'{short["folder"]}0001.png'), (uneven, listed['folder'] + listed['names'][2])):
        path = (tmp_path / 'out' / unquote(found)).resolve()
        assert path.is_file() and path.is_relative_to(folder)
    assert pictures.lacks(2) == []


def test_frames_from_several_folders_are_listed(tmp_path):
    frames = [str(tmp_path / 'x' / '1.png'), str(tmp_path / 'y' / '1.png')]
    assert linked(frames, tmp_path) == {'folder': '', 'names': ['x/1.png', 'y/1.png']}


def test_what_cannot_be_shown_is_said(tmp_path):
    image = np.random.default_rng(0).integers(0, 60000, (20, 30), dtype=np.uint16)
    for name in ('deep.png', 'flat.png', 'some.tif'):
        assert cv2.imwrite(str(tmp_path / name), image if name == 'deep.png' else (image >> 8).astype(np.uint8))
    assert [is_shown(tmp_path / name) for name in ('deep.png', 'flat.png', 'some.tif')] == [False, True, False]
    pictures = Pictures(tmp_path)
    assert pictures.of([str(tmp_path / 'deep.png')], ()) is None and pictures.of(['', ''], ()) is None
    assert pictures.of([str(tmp_path / 'none.png')], ()) is None
    assert [line.split(' ', 4)[:4] for line in pictures.lacks(3)] == [['2', 'of', '3', 'sequences'],
                                                                      ['1', 'of', '3', 'sequences']]


def test_embedded_pictures_are_small_jpegs_of_any_image(tmp_path):
    image = np.random.default_rng(0).integers(0, 60000, (500, 800), dtype=np.uint16)
    assert cv2.imwrite(str(tmp_path / 'deep.png'), image)
    found = Pictures(tmp_path, 3).of([str(tmp_path / 'deep.png')] * 9, [4, 4, 7])
    assert found['size'] == [800, 500] and list(found['embedded']) == ['0', '4', '8']
    kind, code = found['embedded']['4'].split(',')
    assert kind == 'data:image/jpeg;base64'
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(code), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (225, 360, 3) and picture.max() > 200
    (tmp_path / 'bad.png').write_bytes(b'nothing')
    with pytest.raises(UserError, match=r'bad\.png'):
        Pictures(tmp_path, 1).of([str(tmp_path / 'bad.png')], ())


@given(st.integers(1, 40), st.lists(st.integers(0, 39), max_size=12), st.integers(1, 50))
def test_the_choice_of_pictures(count, wanted, most):
    wanted = [position for position in wanted if position < count]
    chosen = choose(count, wanted, most)
    assert chosen == sorted(set(chosen)) and len(chosen) == min(count, most) and chosen[0] == 0 and chosen[-1] < count
    assert most < 3 or not wanted or wanted[0] in chosen
