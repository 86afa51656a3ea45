"""Readers of labelled folders: layouts, separators, order, and what is wrong said clearly."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr.admin.errors import UserError
from ltr.data.image_loader import BadFrameError
from ltr.dataset import CocoImages, FolderVideo, open_dataset


@pytest.mark.parametrize('separator', [',', '\t', ' ', ', ', ';', '   '])
def test_separators(make_video, tmp_path, separator):
    make_video('a', [separator.join(('1.5', '2', '3', '4')), separator.join(('5', '6', '7', '8.25'))])
    info = FolderVideo(tmp_path).get_sequence_info(0)
    assert info['bbox'].tolist() == [[1.5, 2, 3, 4], [5, 6, 7, 8.25]] and info['bbox'].dtype == torch.float32
    assert info['valid'].all() and info['visible'].dtype == torch.bool


def test_invalid_rows_are_invisible_frames(make_video, tmp_path):
    rows = ['1,2,3,4', 'NaN,NaN,NaN,NaN', '1,2,0,4', '1,2,3,-4', '0,0,0,0', '', 'inf,2,3,4', '5,6,7,8']
    make_video('a', rows)
    info = FolderVideo(tmp_path).get_sequence_info(0)
    assert info['visible'].tolist() == [True] + [False] * 6 + [True]
    assert not info['bbox'][1:7].any()


def test_natural_order_any_depth_and_links(make_video, tmp_path):
    root = tmp_path / 'set'
    for name in ('b/deep/clip10', 'b/deep/clip9', 'a'):
        make_video(name, [f'{i},0,5,5' for i in range(12)], root=root)
    other = make_video('linked', ['1,1,5,5'], root=tmp_path / 'elsewhere')
    (root / 'aa').symlink_to(other.parent, target_is_directory=True)
    (root / 'b' / 'loop').symlink_to(root, target_is_directory=True)
    dataset = FolderVideo(root)
    names = [sequence.name for sequence in dataset.sequences]
    assert names == ['a', 'aa/linked', 'b/deep/clip9', 'b/deep/clip10']
    frames, anno, meta = dataset.get_frames(2, [0, 9, 11, 9])
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 9, 11, 9]
    assert [int(box[0]) for box in anno['bbox']] == [0, 9, 11, 9]
    assert meta['object_class_name'] is None
    assert dataset.is_video_sequence() and len(dataset) == 4 and dataset.get_name() == 'set'


def test_a_root_that_is_a_sequence(make_video):
    assert len(FolderVideo(make_video('a', ['1,1,5,5'] * 3))) == 1


def test_other_files_are_no_frames(make_video, tmp_path):
    folder = make_video('a', ['1,1,5,5'] * 3)
    for name in ('Thumbs.db', '._1.png', 'notes.txt'):
        (folder / 'img' / name).write_bytes(b'x')
    assert [path.name for path in FolderVideo(tmp_path).sequences[0].frames] == ['1.png', '2.png', '3.png']


def test_unusable_sequences_are_counted(make_video, tmp_path, caplog):
    make_video('good', ['1,1,5,5'] * 3)
    make_video('more_boxes', ['1,1,5,5'] * 5, frames=3)
    make_video('no_boxes', ['1,1,5,5'] * 3).joinpath('groundtruth_rect.txt').unlink()
    make_video('polygon', ['1,1,5,1,5,5,1,5'] * 3)
    make_video('text', ['1,1,5,5', 'x,y,w,h'])
    make_video('empty_text', ['1,1,5,5']).joinpath('groundtruth_rect.txt').write_text('\n')
    make_video('no_frames', ['1,1,5,5'], frames=0)
    dataset = FolderVideo(tmp_path)
    assert [sequence.name.split('/')[-1] for sequence in dataset.sequences] == ['good', 'more_boxes']
    assert len(dataset.sequences[1].frames) == 3 and len(dataset.get_sequence_info(1)['bbox']) == 3
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2 and '5 of 7 sequences skipped' in lines[0] and '1 sequences have' in lines[1]
    reasons = {path.name: reason for path, reason in dataset.skipped.items()}
    assert set(reasons) == {'no_boxes', 'polygon', 'text', 'empty_text', 'no_frames'}
    assert 'groundtruth_rect.txt, line 2' in reasons['text'] and 'no images' in reasons['no_frames']


def test_nothing_usable_is_an_error(make_video, tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        FolderVideo(tmp_path / 'none')
    (tmp_path / 'videos').mkdir()
    with pytest.raises(UserError, match=r'img/ and groundtruth_rect\.txt'):
        FolderVideo(tmp_path / 'videos')
    make_video('text', ['x,y,w,h'])
    with pytest.raises(UserError, match=r'1 skipped.*line 1'):
        FolderVideo(tmp_path / 'videos')


def test_box_outside_the_image_and_bad_frames(make_video, tmp_path):
    rows = ['1,1,5,5', '64,1,5,5', '-5,1,5,5', '1,48,5,5', '60,40,50,50', 'nan,nan,nan,nan']
    folder = make_video('a', rows)
    dataset = FolderVideo(tmp_path)
    for i in (1, 2, 3):
        with pytest.raises(BadFrameError, match=rf'outside the image .*{i + 1}\.png of 64 x 48'):
            dataset.get_frames(0, [0, i])
    assert len(dataset.get_frames(0, [0, 4, 5])[0]) == 3
    (folder / 'img' / '1.png').write_bytes(b'nothing')
    with pytest.raises(BadFrameError, match=r'1\.png'):
        dataset.get_frames(0, [0])


def write_coco(root: Path, annotation: str = 'annotations.json', image_folder: str = 'img',
               **changes) -> Path:
    (root / image_folder).mkdir(parents=True)
    (root / annotation).parent.mkdir(exist_ok=True, parents=True)
    for i in (1, 2):
        cv2.imwrite(str(root / image_folder / f'{i}.png'), np.full((48, 64, 3), i, np.uint8))
    boxes = [(1, [3, 4, 10, 12], 0), (1, [30, 4, 10, 12], 0), (2, [5.5, 6, 7, 8], 0), (2, [0, 0, 60, 40], 1),
             (2, [1, 1, 0, 5], 0), (2, [70, 1, 5, 5], 0), (9, [1, 1, 5, 5], 0),
             (2, [1, float('nan'), 5, 5], 0)]
    content = {'images': [{'id': i, 'file_name': f'{i}.png', 'width': 64, 'height': 48} for i in (1, 2)],
               'annotations': [{'id': n, 'image_id': image, 'bbox': box, 'iscrowd': crowd, 'category_id': 7}
                               for n, (image, box, crowd) in enumerate(boxes)],
               'categories': [{'id': 7, 'name': 'cat'}], **changes}
    (root / annotation).write_text(json.dumps(content))
    return root


@pytest.mark.parametrize(('annotation', 'images'), [
    ('annotations.json', 'img'), ('annotations.json', 'images'),
    ('annotations/instances_train2017.json', 'train2017'),
    ('annotations/instances_mine.json', 'images/mine')])
def test_coco_layouts(tmp_path, annotation, images, caplog):
    dataset = open_dataset(write_coco(tmp_path / 'set', annotation, images))
    assert isinstance(dataset, CocoImages) and not dataset.is_video_sequence()
    assert len(dataset) == 3 and dataset.skipped == 5
    assert len(caplog.records) == 1 and '5 of 8 boxes skipped' in caplog.text
    info = dataset.get_sequence_info(2)
    assert info['bbox'].tolist() == [[5.5, 6, 7, 8]] and info['visible'].tolist() == [True]
    frames, anno, meta = dataset.get_frames(2, [1, 1, 1])
    assert [int(frame[0, 0, 0]) for frame in frames] == [2, 2, 2] and frames[0].shape == (48, 64, 3)
    assert [box.tolist() for box in anno['bbox']] == [[5.5, 6, 7, 8]] * 3
    assert meta['object_class_name'] == 'cat'


def test_coco_splits(tmp_path):
    root = write_coco(tmp_path / 'set', 'annotations/instances_val2017.json', 'val2017')
    (root / 'annotations' / 'instances_train2014.json').write_text('{}')
    with pytest.raises(UserError, match=r'instances_train2014\.json, instances_val2017\.json'):
        CocoImages(root)
    assert len(CocoImages(root, split='val2017')) == 3


def test_coco_errors(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        CocoImages(tmp_path / 'none')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='found: none'):
        CocoImages(tmp_path / 'empty')
    for name, changes in {'a': {'annotations': []}, 'b': {'images': [{'id': 1}]}, 'c': {'annotations': [{}]},
                          'd': {'annotations': 5}}.items():
        with pytest.raises(UserError, match=r'annotations\.json'):
            CocoImages(write_coco(tmp_path / name, **changes))
    root = write_coco(tmp_path / 'set')
    for text in ('{', '[]'):
        (root / 'annotations.json').write_text(text)
        with pytest.raises(UserError, match=r'annotations\.json'):
            CocoImages(root)
    (tmp_path / 'bare').mkdir()
    (tmp_path / 'bare' / 'annotations.json').write_text('{}')
    with pytest.raises(UserError, match='no images'):
        CocoImages(tmp_path / 'bare')


def test_open_dataset(video_root, tmp_path):
    assert isinstance(open_dataset(video_root), FolderVideo)
    (tmp_path / 'pairs' / 'visible').mkdir(parents=True)
    with pytest.raises(UserError, match='holds no labelled data'):
        open_dataset(tmp_path / 'pairs')
    with pytest.raises(UserError, match='does not exist'):
        open_dataset(tmp_path / 'none')
