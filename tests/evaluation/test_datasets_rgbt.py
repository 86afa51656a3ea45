"""RGB-thermal sets on disk in their layouts, one channel at a time; and what a user can get wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltr.admin.errors import UserError
from pytracking.analysis.evaluate import evaluate
from pytracking.evaluation import get_dataset, load_dataset
from tests.evaluation.conftest import box_path, write_frames

SETS = ('gtot', 'rgbt210', 'rgbt234', 'lasher')
SHIFT = np.array([2.0, 1, 0, 0])


def write_boxes(path: Path, boxes, separator: str = ',') -> None:
    path.write_text('\n'.join(separator.join(f'{value:g}' for value in box) for box in boxes) + '\n')


def write_rgbt(folder: Path, name: str, count: int = 4) -> Path:
    """A sequence; the visible truth is the thermal one, shifted."""
    tir = np.array(box_path(count))
    rgb = tir + SHIFT
    thermal, visible = ('i', 'v') if name == 'gtot' else ('infrared', 'visible')
    write_frames(folder / thermal, [f't{i + 8}.png' for i in range(count)])
    write_frames(folder / visible, [f'rgb_{i:04d}.png' for i in range(count)])
    if name == 'gtot':
        for letter, boxes in (('i', tir), ('v', rgb)):
            corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
            write_boxes(folder / f'groundTruth_{letter}.txt', corners, '\t')
    else:
        write_boxes(folder / 'init.txt', tir)
    if name == 'rgbt234':
        write_boxes(folder / 'infrared.txt', tir)
        write_boxes(folder / 'visible.txt', rgb)
    return folder


@pytest.mark.parametrize('name', SETS)
def test_the_thermal_channel(tmp_path, name):
    for sequence in ('b', 'part/a'):
        write_rgbt(tmp_path / sequence, name)
    sequences = get_dataset(name, root=tmp_path)
    assert [item.name for item in sequences] == ['a', 'b'] and sequences.protocol == name
    one = sequences['a']
    assert [Path(frame).name for frame in one.frames] == ['t8.png', 't9.png', 't10.png', 't11.png']
    assert [Path(frame).name for frame in one.second_frames] == [f'rgb_{i:04d}.png' for i in range(4)]
    np.testing.assert_allclose(one.ground_truth_rect, box_path(4))
    assert one.init_info()['init_bbox'] == list(box_path(1)[0])
    if name in ('gtot', 'rgbt234'):
        np.testing.assert_allclose(one.second_ground_truth_rect, np.array(box_path(4)) + SHIFT)
    else:
        assert one.second_ground_truth_rect is None
    cut = one.first(2)
    assert len(cut.second_frames) == 2 and cut.full_length == 4
    assert evaluate({'a': one.ground_truth_rect}, [one], name).precision == 1.0


@pytest.mark.parametrize('name', SETS)
def test_the_visible_channel_has_names_of_its_own(tmp_path, name, monkeypatch):
    """So that its results are no results of the thermal one; the folder is that of the set."""
    write_rgbt(tmp_path / 'a', name)
    monkeypatch.setenv(f'PYTRACKING_{name.upper()}_PATH', str(tmp_path))
    sequences = get_dataset(f'{name}_rgb')
    [one] = sequences
    assert (one.name, one.dataset, sequences.protocol) == ('a_rgb', f'{name}_rgb', name)
    assert Path(one.frames[0]).name == 'rgb_0000.png' and Path(one.second_frames[0]).name == 't8.png'
    both = name in ('gtot', 'rgbt234')
    np.testing.assert_allclose(one.ground_truth_rect, np.array(box_path(4)) + SHIFT * both)


def test_both_channels_count_alike_by_the_better_of_two(tmp_path):
    write_rgbt(tmp_path / 'a', 'rgbt234')
    [tir], [rgb] = get_dataset('rgbt234', root=tmp_path), get_dataset('rgbt234_rgb', root=tmp_path)
    boxes = np.array(box_path(4)) + 1
    first, second = (evaluate({one.name: boxes}, [one], 'rgbt234') for one in (tir, rgb))
    np.testing.assert_array_equal(first.curves['success'], second.curves['success'])


def test_rgbt234_starts_from_init_txt(tmp_path):
    folder = write_rgbt(tmp_path / 'a', 'rgbt234')
    write_boxes(folder / 'init.txt', [(1, 2, 3, 4)] * 4)
    [one] = get_dataset('rgbt234', root=tmp_path)
    assert one.init_info()['init_bbox'] == [1, 2, 3, 4]
    (folder / 'init.txt').unlink()
    [one] = get_dataset('rgbt234', root=tmp_path)
    assert one.init_info()['init_bbox'] == list(box_path(1)[0])


def test_no_row_is_left_out_at_the_start(tmp_path):
    """One LasHeR sequence starts at x = 0, and its published results have a row for that frame."""
    folder = write_rgbt(tmp_path / 'a', 'lasher')
    write_boxes(folder / 'init.txt', [(0, 2, 3, 4)] * 4)
    [one] = get_dataset('lasher', root=tmp_path)
    assert len(one) == 4 and one.init_info()['init_bbox'] == [0, 2, 3, 4]


def test_one_channel_alone_will_do(tmp_path):
    folder = write_rgbt(tmp_path / 'a', 'lasher')
    (folder / 'visible').rename(tmp_path / 'gone')
    [one] = get_dataset('lasher', root=tmp_path)
    assert one.second_frames is None


@pytest.mark.parametrize(('name', 'spoil', 'message'), [
    ('lasher', lambda f: write_boxes(f / 'init.txt', box_path(3)), r'init\.txt has 3 rows, .*infrared has 4 images'),
    ('lasher', lambda f: (f / 'infrared' / 't9.png').unlink(), r'has 3 images \(number 9 is missing\)'),
    ('lasher', lambda f: write_boxes(f / 'init.txt', [(1, 2, 0, 4)] * 4), 'the first row must hold a box to start'),
    ('lasher', lambda f: (f / 'init.txt').write_text('1,2,3\n'), r'init\.txt, line 1: expected 4 numbers, found 3'),
    ('rgbt234', lambda f: write_boxes(f / 'visible.txt', box_path(3)), r'visible\.txt has 3 rows'),
    ('rgbt234', lambda f: (f / 'init.txt').write_text(''), r'init\.txt has no rows'),
    ('gtot', lambda f: (f / 'groundTruth_i.txt').unlink(), r'1 without a ground truth \(a\); expected <seq>/i/ \+ '),
])
def test_mistakes_name_the_file(tmp_path, name, spoil, message):
    spoil(write_rgbt(tmp_path / 'a', name))
    with pytest.raises(UserError, match=message):
        get_dataset(name, root=tmp_path)


def test_unset_and_empty_folders(tmp_path):
    with pytest.raises(UserError, match=r'give --data DIR or set PYTRACKING_RGBT234_PATH'):
        get_dataset('rgbt234_rgb')
    with pytest.raises(UserError, match=r'no sequence .*expected <seq>/infrared/ \+ <seq>/visible/ \+ <seq>/init\.txt'):
        get_dataset('lasher', root=tmp_path)


def test_the_leakage_guard(tmp_path):
    write_rgbt(tmp_path / 'a', 'rgbt234')
    for name in ('rgbt234', 'rgbt234_rgb'):
        assert 'TIR_training_002' in load_dataset(name, tmp_path).leaks
    assert not load_dataset('folder', tmp_path).leaks
