"""Names, frames and folders, and that training and evaluation see the same of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr.admin.errors import UserError
from ltr.data import files
from ltr.data.files import IMAGE_SUFFIXES, list_frames, natural_key, walk_folders
from ltr.dataset import FolderVideo
from pytracking.evaluation.folderdataset import FolderDataset


def test_natural_order():
    names = ['a10', 'a9', 'a', '2', '10', '1b', 'a9b2', 'a9b10']
    assert sorted(names, key=natural_key) == ['1b', '2', '10', 'a', 'a9', 'a9b2', 'a9b10', 'a10']
    assert natural_key('007') == natural_key('7') != natural_key('70')


def test_frames_are_sorted_by_number_whatever_the_width(tmp_path):
    for name in ['2.png', '10.jpg', '001.BMP', '0100.tiff', '._3.png', 'Thumbs.db', '11.pgm', '12.jp2']:
        (tmp_path / name).write_bytes(b'')
    (tmp_path / '5.png').mkdir()
    assert [Path(frame).name for frame in list_frames(tmp_path)] == ['001.BMP', '2.png', '10.jpg', '11.pgm', '12.jp2',
                                                                    '0100.tiff']
    assert list_frames(tmp_path / 'none') == []


def test_frames_with_prefixes_are_sorted_by_number(tmp_path):
    for name in ('img10.png', 'img9.png', 'frame_2.png', 'frame_11.png'):
        (tmp_path / name).write_bytes(b'')
    assert [Path(frame).stem for frame in list_frames(tmp_path)] == ['frame_2', 'frame_11', 'img9', 'img10']


def test_one_frame_number_twice_is_an_error(tmp_path):
    for name in ('1.png', '01.jpg'):
        (tmp_path / name).write_bytes(b'')
    with pytest.raises(UserError, match='same frame'):
        list_frames(tmp_path)


def test_what_trains_as_pairs_can_be_tracked():
    layouts = pytest.importorskip('cmd_plugin.data.layouts')
    assert layouts.IMAGE_SUFFIXES <= IMAGE_SUFFIXES


@pytest.mark.skipif(os.name == 'nt', reason='links need a privilege on Windows')
def test_walk(tmp_path):
    root = tmp_path / 'root'
    for name in ('b10', 'b9/inner', 'b9/img/deep', '.hidden', '__MACOSX'):
        (root / name).mkdir(parents=True)
    for name in ('far', 'farther'):
        (tmp_path / name).mkdir()
    (root / 'a_link').symlink_to(tmp_path / 'far')
    (root / 'b_link').symlink_to(tmp_path / 'farther')
    (root / 'a_twin').symlink_to(root / 'b10')
    (root / 'loop').symlink_to(root)
    (root / 'broken').symlink_to(tmp_path / 'nowhere')
    assert list(walk_folders(root)) == [
        (root, ('root',)), (root / 'b9', ('b9',)), (root / 'b9/inner', ('b9', 'inner')), (root / 'b10', ('b10',)),
        (root / 'a_link', ('a_link',)), (root / 'b_link', ('b_link',))]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    def closed(folder):
        raise PermissionError(13, 'Permission denied', str(folder))

    (tmp_path / 'closed').mkdir()
    monkeypatch.setattr(files.os, 'scandir', closed)
    with pytest.raises(UserError, match=r'cannot list .*: Permission denied$'):
        list(walk_folders(tmp_path))


ROWS = ['1;2;3;4', '1,2,3,4,', '1\t2\t3\t4', 'inf,2,3,4', '', ',,,', 'nan nan nan nan', '5,6,7,8']


def test_training_and_evaluation_read_the_same(make_video, tmp_path):
    make_video('a', ROWS)
    make_video('sub/10', ROWS)
    make_video('sub/9', ROWS)
    train, run = FolderVideo(tmp_path / 'videos'), FolderDataset(tmp_path / 'videos').get_sequence_list()
    assert [sequence.name for sequence in train.sequences] == ['a', 'sub/9', 'sub/10']
    assert [sequence.name for sequence in run] == ['10', '9', 'a']
    valid = [True, True, True, False, False, False, False, True]
    assert train.get_sequence_info(0)['valid'].tolist() == valid
    assert train.sequences[0].frames == [Path(frame) for frame in run['a'].frames]
    truth = run['a'].ground_truth_rect
    assert np.isfinite(truth).all(axis=1).tolist() == valid
    torch.testing.assert_close(train.get_sequence_info(0)['bbox'][valid].double(), torch.tensor(truth[valid]))


def test_a_frame_twice_is_an_error_in_both(make_video, tmp_path):
    make_video('good', ['1,1,5,5'] * 3)
    folder = make_video('twice', ['1,1,5,5'] * 3)
    (folder / 'img' / '2.png').rename(folder / 'img' / '01.png')
    with pytest.raises(UserError, match='same frame'):
        FolderDataset(folder).get_sequence_list()
    dataset = FolderVideo(tmp_path / 'videos')
    assert [sequence.name for sequence in dataset.sequences] == ['good']
    assert 'same frame' in dataset.skipped[folder.resolve()]
