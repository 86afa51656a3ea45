"""The checker finds each mistake by itself, goes on after it, and tells it in its exit status."""

from __future__ import annotations

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking import check_dataset
from pytracking.evaluation.checks import odd_boxes
from tests.evaluation.conftest import box_path, write_frames, write_sequence
from tests.evaluation.test_datasets_rgbt import write_boxes, write_rgbt
from tests.evaluation.test_folder_dataset import write_mot


@pytest.fixture
def check(tmp_path, capsys):
    """`check(...)`: exit status and printed text for the folder of the test."""
    def run(*arguments: str, name: str = 'folder') -> tuple[int, str]:
        status = check_dataset.main([name, '--data', str(tmp_path), *arguments])
        return status, capsys.readouterr().out
    return run


def test_a_sound_set(check, tmp_path):
    for name in ('a', 'b'):
        write_sequence(tmp_path / name, box_path())
    assert check() == (0, 'folder: 2 folders with 10 frames; 0 wrong, 0 to look at\n')


def test_path_alone_means_any_folder(tmp_path, capsys):
    write_sequence(tmp_path / 'a', box_path())
    assert check_dataset.main(['--path', str(tmp_path), '--images', 'ends']) == 0
    assert '1 folder with 5 frames' in capsys.readouterr().out


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(('spoil', 'expected'), [
    (lambda f: (f / 'img' / '0002.png').unlink(), 'has 5 rows, but {f}/img has 4 images (number 2 is missing)'),
    (lambda f: (f / 'img' / '0005.png').unlink(), 'has 5 rows, but {f}/img has 4 images'),
    (lambda f: truncate(f / 'img' / '0003.png'), '0003.png is cut off'),
    (lambda f: (f / 'img' / '0003.png').write_bytes(b''), '0003.png is an empty file'),
    (lambda f: (f / 'img' / '0003.png').write_bytes(b'text'), '0003.png is not a readable image'),
    (lambda f: (f / 'groundtruth_rect.txt').write_text('1,2,3\n'), 'line 1: expected 4 numbers, found 3'),
    (lambda f: (f / 'groundtruth_rect.txt').unlink(), 'without a ground truth'),
    (lambda f: write_boxes(f / 'groundtruth_rect.txt', [(0, 0, 0, 0)] * 5), 'without a row whose x, y, w, h'),
    (lambda f: write_boxes(f / 'groundtruth_rect.txt', [*box_path(4), (500, 5, 8, 9)]),
     '1 boxes wholly outside the image (0005.png)'),
])
def test_each_mistake_is_found_and_the_others_go_on(check, tmp_path, spoil, expected):
    write_sequence(tmp_path / 'good', box_path())
    write_sequence(tmp_path / 'last', box_path())
    folder = write_sequence(tmp_path / 'bad', box_path())
    spoil(folder)
    status, text = check()
    assert status == 1 and 'bad  wrong  ' in text
    assert expected.format(f=folder) in text and '1 wrong' in text
    assert not [line for line in text.splitlines() if line.startswith(('good', 'last'))]


@pytest.mark.parametrize(('boxes', 'expected'), [
    ([*box_path(4), (np.nan,) * 4], '1 rows of NaN (0005.png)'),
    ([*box_path(3), (0, 0, 0, 0), (0, 0, 0, 0)], '2 boxes without width or height (0004.png, 0005.png)'),
    ([*box_path(4), (0, 5, 8, 9)], '1 boxes with x or y <= 0'),
    ([*box_path(2), (30, 6, 2, 2), (5, 6, 2, 2), (5, 6, 2, 2)], 'jumps of more than 5 target sizes'),
    ([*box_path(4), (5, 6, 30, 16)], '1 changes of area by more than 4 times (0005.png)'),
])
def test_what_is_only_worth_a_look(check, tmp_path, boxes, expected):
    write_sequence(tmp_path / 'a', boxes)
    status, text = check()
    assert status == 0 and expected in text and '0 wrong' in text
    assert check('--strict')[0] == 1


def test_names_that_leave_out_a_number_and_sizes_that_change(check, tmp_path):
    folder = write_sequence(tmp_path / 'a', box_path(3), names=['1.png', '2.png', '4.png'])
    write_frames(folder / 'img', ['4.png'], width=50)
    status, text = check()
    assert status == 0 and 'leave out number 3' in text and 'images of 2 sizes' in text


def test_tracks_that_are_too_short_are_no_mistake(check, tmp_path):
    write_mot(tmp_path / 'v', [(1, 1, 60), (2, 1, 70)], frames=70)
    write_mot(tmp_path / 'w', [(1, 1, 5)], frames=5)
    status, text = check()
    assert status == 0 and 'w  note   without a run of 60 frames' in text and '2 folders' not in text
    assert '1 folder with 130 frames' in text


def test_two_sequences_of_one_name(check, tmp_path):
    for name in ('x/b_c', 'x_b/c', 'y/b_c', 'y_b/c'):
        write_sequence(tmp_path / name, box_path(2))
    status, text = check()
    assert status == 1 and "have the same name 'x_b_c'" in text


def test_attributes_are_checked(check, tmp_path):
    write_sequence(tmp_path / 'a', box_path())
    (tmp_path / 'anno' / 'att').mkdir(parents=True)
    (tmp_path / 'anno' / 'att' / 'a.txt').write_text('0,1\n')
    status, text = check(name='lsotb_tir')
    assert status == 1 and 'a.txt, line 1: expected 16 numbers' in text


def test_the_second_channel_is_checked(check, tmp_path):
    folder = write_rgbt(tmp_path / 'a', 'rgbt234')
    assert check(name='rgbt234') == (0, 'rgbt234: 1 folder with 4 frames; 0 wrong, 0 to look at\n')
    truncate(folder / 'visible' / 'rgb_0001.png')
    write_boxes(folder / 'visible.txt', [*box_path(3), (0, 0, 0, 0)])
    status, text = check(name='rgbt234')
    assert status == 1 and 'rgb_0001.png is cut off' in text
    assert '1 boxes without width or height (rgb_0003.png) of the second channel' in text
    (folder / 'visible' / 'rgb_0002.png').unlink()
    assert '4 and 3 images in the two channels' in check(name='rgbt234')[1]


def test_training_that_shows_what_is_tested(check, tmp_path):
    write_rgbt(tmp_path / 'a', 'rgbt234')
    training = tmp_path / 'training'
    write_sequence(training / 'part' / 'TIR_training_002', box_path(2))
    write_sequence(training / 'part' / 'TIR_training_003', box_path(2))
    status, text = check('--training', str(training), name='rgbt234')
    assert status == 1 and 'TIR_training_002  wrong' in text and 'leave it out of training' in text
    assert '1 wrong' in text
    assert check('--training', str(training), name='folder')[0] == 0


def test_a_set_without_images(check, tmp_path):
    write_boxes(tmp_path / 'a.txt', [*box_path(3), (0, 0, 0, 0)])
    status, text = check(name='annotations')
    assert status == 0 and '1 boxes without width or height (4)' in text and '1 folder with 4 frames' in text


def test_bad_input(check, tmp_path):
    with pytest.raises(UserError, match='no sequence below'):
        check()
    with pytest.raises(UserError, match='threads must be at least 1'):
        check('--threads', '0')
    write_sequence(tmp_path / 'a', box_path())
    with pytest.raises(UserError, match='no folder of training sequences'):
        check('--training', str(tmp_path / 'gone'))
    with pytest.raises(UserError, match='does not exist'):
        check_dataset.main(['--path', str(tmp_path / 'gone')])


def test_each_kind_of_odd_box_is_told_once_with_its_first_frames():
    boxes = np.array([(5, 5, 4, 4)] * 3 + [(-9, 5, 4, 4)] * 5, dtype=float)
    [outside, edge] = odd_boxes(boxes, [(40, 30)] * 8, [str(i) for i in range(8)])
    assert outside == ('5 boxes wholly outside the image (3, 4, 5, ...)', True) and not edge[1]
    assert list(odd_boxes(boxes[:3], [(0, 0)] * 3, list('abc'))) == []


def test_real_sequences_are_sound(shared_data, capsys):
    assert check_dataset.main(['--path', str(shared_data / 'tir'), '--images', 'ends']) == 0
    assert '4 folders with 1,008 frames; 0 wrong' in capsys.readouterr().out
