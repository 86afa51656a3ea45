"""The data set `folder`: both layouts, names, and what a user can get wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking.evaluation import get_dataset
from pytracking.evaluation.folderdataset import FolderDataset
from pytracking.evaluation.readers import mot_runs
from tests.evaluation.conftest import box_path, write_frames, write_sequence


def write_mot(folder: Path, runs: list[tuple[int, int, int]], frames: int = 130, x: float = 3.0) -> Path:
    """Runs are (id, first frame, length)."""
    write_frames(folder / 'img', [f'{i + 1:06d}.png' for i in range(frames)])
    lines = [f'{frame},{identity},{x},4,5,6,1,1,0.5' for identity, first, length in runs
             for frame in range(first, first + length)]
    (folder / 'gt').mkdir()
    (folder / 'gt' / 'gt.txt').write_text('\n'.join(reversed(lines)))
    return folder


@pytest.mark.parametrize('separator', [',', '\t', ' ', ', ', '  ', ';'])
def test_reads_boxes_whatever_the_separator(tmp_path, separator):
    write_sequence(tmp_path / 'a', box_path(), separator=separator)
    [sequence] = FolderDataset(tmp_path).get_sequence_list()
    assert sequence.name == 'a' and sequence.dataset == 'folder'
    np.testing.assert_allclose(sequence.ground_truth_rect, box_path())
    assert sequence.init_info() == {'init_bbox': [5, 6, 8, 9]}


def test_mixed_layouts_at_any_depth(tmp_path):
    write_sequence(tmp_path / 'day' / 'a', box_path())
    write_mot(tmp_path / 'x' / 'y' / 'video', [(1, 1, 60), (1, 62, 60), (2, 1, 59), (3, 11, 120)])
    sequences = FolderDataset(tmp_path).get_sequence_list()
    assert [(s.name, len(s)) for s in sequences] == [('a', 5), ('video_1_1', 60), ('video_1_62', 60),
                                                     ('video_3_11', 120)]
    assert sequences['video_1_62'].frames[0].endswith('000062.png')
    assert sequences['video_3_11'].ground_truth_rect[0].tolist() == [3, 4, 5, 6]


def test_the_folder_itself_may_be_a_sequence(tmp_path):
    write_sequence(tmp_path / 'a', box_path())
    assert [s.name for s in FolderDataset(tmp_path / 'a').get_sequence_list()] == ['a']


def test_equal_names_become_paths(tmp_path):
    for folder in ('day/a', 'night/a', 'b'):
        write_sequence(tmp_path / folder, box_path())
    for folder in ('one/v', 'two/v'):
        write_mot(tmp_path / folder, [(7, 1, 60)])
    names = [s.name for s in FolderDataset(tmp_path).get_sequence_list()]
    assert names == ['b', 'day_a', 'night_a', 'one_v_7_1', 'two_v_7_1']


def test_names_that_stay_equal_are_an_error(tmp_path):
    for folder in ('x/b_c', 'x_b/c', 'y/b_c', 'y_b/c'):
        write_sequence(tmp_path / folder, box_path(2))
    with pytest.raises(UserError, match="same name 'x_b_c'"):
        FolderDataset(tmp_path).get_sequence_list()


@pytest.mark.parametrize('folders', [('car', 'car_time'), ('day/car', 'night/car', 'night_car/time')])
def test_a_name_that_is_the_time_file_of_another_is_an_error(tmp_path, folders):
    for folder in folders:
        write_sequence(tmp_path / folder, box_path(2))
    if len(folders) == 3:  # unique by its short name
        assert len(FolderDataset(tmp_path).get_sequence_list()) == 3
        (tmp_path / 'night_car' / 'time').rename(tmp_path / 'night_car' / 'night_car_time')
    with pytest.raises(UserError, match=r"car_time: the boxes of '(night_)?car_time' .* the times of '(night_)?car'"):
        FolderDataset(tmp_path).get_sequence_list()


@pytest.mark.skipif(os.name == 'nt', reason='links need a privilege on Windows')
def test_links_are_followed_once_and_hidden_folders_left_out(tmp_path):
    write_sequence(tmp_path / 'elsewhere' / 'far', box_path())
    root = tmp_path / 'root'
    write_sequence(root / 'real', box_path())
    write_sequence(root / '.hidden' / 'h', box_path())
    (root / 'a_link').symlink_to(root / 'real')
    (root / 'loop').symlink_to(root)
    (root / 'broken').symlink_to(tmp_path / 'nowhere')
    (root / 'outside').symlink_to(tmp_path / 'elsewhere')
    assert [s.name for s in FolderDataset(root).get_sequence_list()] == ['far', 'real']


def test_starts_at_the_first_box_with_four_positive_values(tmp_path):
    boxes = [(0, 0, 0, 0), (np.nan,) * 4, (0, 5, 8, 9), *box_path(3), (0, 0, 0, 0), (np.nan,) * 4]
    write_sequence(tmp_path / 'a', boxes)
    [sequence] = FolderDataset(tmp_path).get_sequence_list()
    assert len(sequence) == len(sequence.ground_truth_rect) == 5
    assert sequence.frames[0].endswith('0004.png')
    np.testing.assert_array_equal(sequence.ground_truth_rect, boxes[3:])


def test_a_mot_run_starts_there_too_and_keeps_its_name(tmp_path):
    folder = write_mot(tmp_path / 'v', [(1, 1, 70), (2, 1, 70)])
    path = folder / 'gt' / 'gt.txt'
    lines = [line.replace('3.0', '-3') if line.startswith(('1,1,', '2,1,')) or ',2,3.0' in line else line
             for line in path.read_text().splitlines()]
    path.write_text('\n'.join(lines))
    [sequence] = FolderDataset(tmp_path).get_sequence_list()
    assert (sequence.name, len(sequence)) == ('v_1_1', 68)
    assert sequence.frames[0].endswith('000003.png')


def test_mot_rows_to_be_ignored_split_a_run(tmp_path):
    path = tmp_path / 'gt.txt'
    path.write_text('\n'.join(f'{i} 1 1 1 5 5 {int(i != 5)} 1 1' for i in range(1, 11)))
    assert [(i, frames.tolist()) for i, frames, _ in mot_runs(path, 4)] == [(1, [1, 2, 3, 4]),
                                                                           (1, [6, 7, 8, 9, 10])]


def test_counts_that_differ_are_both_named(tmp_path):
    folder = write_sequence(tmp_path / 'a', box_path(4))
    (folder / 'img' / '0002.png').unlink()
    with pytest.raises(UserError, match=r'a.groundtruth_rect.txt has 4 rows, but .*img has 3 images'):
        FolderDataset(tmp_path).get_sequence_list()


def test_a_single_row_is_good_for_running_only(tmp_path):
    folder = write_sequence(tmp_path / 'a', box_path(4))
    (folder / 'groundtruth_rect.txt').write_text('5,6,8,9\n')
    [sequence] = FolderDataset(tmp_path).get_sequence_list()
    assert sequence.init_only and len(sequence) == 4 and sequence.first(2).init_only


def test_sequences_without_ground_truth_are_counted(tmp_path, capsys):
    write_sequence(tmp_path / 'a', box_path())
    for name in ('b', 'c'):
        write_frames(tmp_path / name / 'img', ['1.png'])
    assert len(FolderDataset(tmp_path).get_sequence_list()) == 1
    assert capsys.readouterr().err == 'folder: 1 sequences; skipped 2 without a ground truth (b, c)\n'


def test_no_ground_truth_anywhere_is_an_error(tmp_path):
    write_frames(tmp_path / 'b' / 'img', ['1.png'])
    with pytest.raises(UserError, match=r'no sequence .*1 without a ground truth \(b\)'):
        FolderDataset(tmp_path).get_sequence_list()


@pytest.mark.parametrize(('text', 'message'), [
    ('1,2,3,4\n1,2,x,4\n', r'groundtruth_rect.txt, line 2: not a row of numbers'),
    ('1,2,3,4\n1,2,3\n', r'line 2: expected 4 numbers, found 3'),
    ('1,2,3,4\n1,,2,3,4\n', r'line 2: expected 4 numbers, found 5'),
    ('1,2,3,4\n\n1,2,3,4\n', r'has 3 rows, but .*img has 2 images'),
    ('0,0,0,0\n1,2,inf,4\n', r'1 without a row whose x, y, w, h are all > 0 \(a\)'),
    ('1,2,,4\n1,2,3,4\n', r'line 1: not a row of numbers'),
    ('0,0,0,0\nnan,nan,nan,nan\n', r'1 without a row whose x, y, w, h are all > 0 \(a\)'),
    ('', r'groundtruth_rect.txt has no rows'),
])
def test_bad_ground_truth_names_file_and_line(tmp_path, text, message):
    folder = write_sequence(tmp_path / 'a', box_path(2))
    (folder / 'groundtruth_rect.txt').write_text(text)
    with pytest.raises(UserError, match=message):
        FolderDataset(tmp_path).get_sequence_list()


def test_blank_lines_and_ends_of_lines_in_mot_text(tmp_path):
    path = tmp_path / 'gt.txt'
    path.write_text('1,1,2,2,3,3,\n2;1;2;2;3;3\n')
    [(identity, frames, _)] = mot_runs(path, 1)
    assert (identity, frames.tolist()) == (1, [1, 2])
    path.write_text('1,1,2,2,3,3\n\n2,1,2,2,3,3\n')
    with pytest.raises(UserError, match='line 2: frame and id must be numbers'):
        mot_runs(path, 1)


def test_mot_mistakes(tmp_path):
    folder = write_mot(tmp_path / 'v', [(1, 1, 60)], frames=50)
    with pytest.raises(UserError, match=r'id 1 is in frame 51, but .*img has no such image .50'):
        FolderDataset(tmp_path).get_sequence_list()
    path = folder / 'gt' / 'gt.txt'
    path.write_text('1,1,2,2,3,3\n1,1,2,2,3,3\n')
    with pytest.raises(UserError, match='id 1 occurs twice in frame 1'):
        mot_runs(path, 1)
    path.write_text('1,nan,2,2,3,3\n')
    with pytest.raises(UserError, match='line 1: frame and id'):
        mot_runs(path, 1)
    path.write_text('1,1,2,2,3,3\n')
    with pytest.raises(UserError, match='1 without a run of 60 frames'):
        FolderDataset(tmp_path).get_sequence_list()


def test_empty_missing_and_unset_folder(tmp_path):
    with pytest.raises(UserError, match='no sequence with a ground truth below'):
        get_dataset('folder', root=tmp_path)
    with pytest.raises(UserError, match='does not exist'):
        get_dataset('folder', root=tmp_path / 'nothing')
    with pytest.raises(UserError, match=r"'folder': give --data DIR or set PYTRACKING_FOLDER_PATH"):
        get_dataset('folder')


def test_many_frames_are_indexed_fast(tmp_path):
    for k in range(5):
        folder = tmp_path / f's{k}' / 'img'
        folder.mkdir(parents=True)
        for i in range(1000):
            (folder / f'{i + 1:04d}.jpg').touch()
        (folder.parent / 'groundtruth_rect.txt').write_text('10,10,5,5\n' * 1000)
    start = time.perf_counter()
    assert sum(len(s) for s in FolderDataset(tmp_path).get_sequence_list()) == 5000
    assert time.perf_counter() - start < 1.0  # 90,000 take about 0.7 s


def test_real_sequences(shared_data):
    sequences = FolderDataset(shared_data / 'tir').get_sequence_list()
    assert {s.name: len(s) for s in sequences} == {'horse': 348, 'uav_04': 220, 'uav_18': 220, 'uav_40': 220}


def test_real_mot_text(shared_data, capsys):
    sequences = FolderDataset(shared_data / 'tir_mot').get_sequence_list()
    # counted with awk: 102 gap-free runs of >= 60 frames, one of them never with x > 0
    assert len(sequences) == 101 and len({s.name for s in sequences}) == 101
    assert 'skipped 1 without a row whose x, y, w, h are all > 0' in capsys.readouterr().err
    assert all((s.ground_truth_rect[0] > 0).all() and len(s) == len(s.ground_truth_rect) for s in sequences)


def test_real_rgb_sequences(shared_data, capsys):
    assert len(FolderDataset(shared_data / 'rgb').get_sequence_list()) == 54
    # x or y is 0 throughout
    assert 'all > 0 (davis_kite-surf, davis_paragliding-launch)' in capsys.readouterr().err
