"""Where pairs are found, which files are twins, and what is said about those that are none."""

from __future__ import annotations

import os
import pickle
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmd_plugin.data.layouts import find_pairs
from cmd_plugin.data.matching import match_twins, natural
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.errors import UserError

STEMS = st.lists(st.from_regex(r'[0-9]{1,4}', fullmatch=True), unique=True, max_size=8)


def names(dataset: PairedDataset, root) -> list[tuple[str, str]]:
    both = (dataset.paths(i) for i in range(len(dataset)))
    return [(rgb.relative_to(root).as_posix(), tir.relative_to(root).as_posix()) for rgb, tir in both]


@pytest.mark.parametrize(('rgb', 'tir'), [
    ('visible', 'infrared'), ('RGB', 'T'), ('vis', 'ir'), ('Color', 'Thermal'), ('rgb', 'tir'),
    ('Visible', 'LWIR')])
def test_twin_folders_of_any_name(tmp_path, write, rgb, tir):
    write(f'{rgb}/1.png')
    write(f'{tir}/1.png', channels=1)
    dataset = PairedDataset(tmp_path)
    assert names(dataset, tmp_path) == [(f'{rgb}/1.png', f'{tir}/1.png')]
    assert dataset.read(0).shape == (8, 12, 6)


def test_depth_and_order(tmp_path, write):
    """KAIST has twins at the bottom of a tree; LLVIP has a tree beneath the twins."""
    for name in ('I00010', 'I2', 'I1'):
        write(f'kaist/set00/V000/visible/{name}.jpg')
        write(f'kaist/set00/V000/lwir/{name}.jpg')
    write('kaist/set00/V001/visible/I1.jpg')
    write('kaist/set00/V001/lwir/I1.jpg')
    for part in ('train', 'test'):
        write(f'llvip/visible/{part}/1.jpg')
        write(f'llvip/infrared/{part}/1.jpg')
    dataset = PairedDataset(tmp_path)
    assert [rgb for rgb, _ in names(dataset, tmp_path)] == [
        'kaist/set00/V000/visible/I1.jpg', 'kaist/set00/V000/visible/I2.jpg',
        'kaist/set00/V000/visible/I00010.jpg', 'kaist/set00/V001/visible/I1.jpg',
        'llvip/visible/test/1.jpg', 'llvip/visible/train/1.jpg']
    assert dataset.summary() == 'pairs: 6 from 3 folders (0 without a twin)'


def test_a_root_that_holds_the_twins_itself(tmp_path, write_pair):
    write_pair('set', '1.png')
    assert len(PairedDataset(tmp_path / 'set')) == len(PairedDataset(str(tmp_path))) == 1


def test_several_roots_in_the_order_given(tmp_path, write_pair):
    write_pair('b', '1.png')
    write_pair('a', '1.png')
    dataset = PairedDataset([tmp_path / 'b', tmp_path / 'a'])
    assert [rgb[0] for rgb, _ in names(dataset, tmp_path)] == ['b', 'a']
    assert dataset.summary() == 'pairs: 2 from 2 folders (0 without a twin)'


@pytest.mark.parametrize(('rgb', 'tir'), [
    ('00001v.jpg', '00001i.jpg'), ('v00001.jpg', 'i00001.jpg'), ('a_RGB.jpg', 'a_thermal.jpg'),
    ('a-vis.png', 'a-ir.png'), ('001.jpg', '001.png')])
def test_stems_that_differ_by_a_mark(tmp_path, write, rgb, tir):
    write(f'visible/{rgb}')
    write(f'infrared/{tir}')
    assert names(PairedDataset(tmp_path), tmp_path) == [(f'visible/{rgb}', f'infrared/{tir}')]


def test_a_letter_of_a_word_is_no_mark():
    assert match_twins(['cav.jpg'], ['cai.jpg']) == ([], [], [('rgb', 'cav.jpg'), ('tir', 'cai.jpg')])


def test_equal_stems_go_first():
    rgb, tir, alone = match_twins(['1.jpg', '1v.jpg'], ['1.jpg', '1i.jpg'])
    assert (rgb, tir, alone) == (['1.jpg', '1v.jpg'], ['1.jpg', '1i.jpg'], [])


@given(STEMS, STEMS, st.sampled_from([('', ''), ('v', 'i'), ('_rgb', '_ir')]))
def test_every_file_is_matched_once_or_alone(left, right, marks):
    rgb = natural([f'{stem}{marks[0]}.jpg' for stem in left])
    tir = natural([f'{stem}{marks[1]}.png' for stem in right])
    rgb_matched, tir_matched, alone = match_twins(rgb, tir)
    assert [name[:-4].removesuffix(marks[0]) for name in rgb_matched] == [
        name[:-4].removesuffix(marks[1]) for name in tir_matched]
    assert len(rgb_matched) == len(set(left) & set(right))
    assert sorted([*rgb_matched, *(name for kind, name in alone if kind == 'rgb')]) == sorted(rgb)
    assert sorted([*tir_matched, *(name for kind, name in alone if kind == 'tir')]) == sorted(tir)


@given(st.lists(st.text('a0129_', max_size=6), unique=True), st.randoms())
def test_natural_order_does_not_depend_on_the_order_of_listing(listed, dice):
    shuffled = list(listed)
    dice.shuffle(shuffled)
    assert natural(shuffled) == natural(listed)


def test_natural_order():
    ordered = ['a', 'a1', 'a02', 'a2', 'a10', 'b1']
    assert natural(random.Random(0).sample(ordered, 6)) == ordered


def test_missing_twins_are_counted(tmp_path, write_pair, write):
    write_pair('set', '1.png')
    write('set/visible/2.png')
    write('set/infrared/3.png')
    write('other/visible/4.png')
    dataset = PairedDataset(tmp_path)
    assert len(dataset) == 1
    alone = tmp_path / 'other' / 'visible' / '4.png'
    assert dataset.summary() == f'pairs: 1 from 1 folder (3 without a twin, e.g. {alone})'


def test_all_twins_missing(tmp_path, write):
    write('set/visible/1.png')
    write('set/infrared/2.png')
    with pytest.raises(UserError, match=r'no RGB-TIR pair found .*2 images without a twin, e\.g\. .*1\.png'):
        PairedDataset(tmp_path)


def test_empty_folder(tmp_path):
    with pytest.raises(UserError, match=r'no RGB-TIR pair found .*expected twin folders'):
        PairedDataset(tmp_path)
    with pytest.raises(UserError, match='empty list of folders'):
        PairedDataset([])


def test_no_such_root(tmp_path):
    with pytest.raises(UserError, match=r'no such folder .*nowhere'):
        PairedDataset(tmp_path / 'nowhere')


def test_two_candidates_for_a_modality(tmp_path, write):
    for folder in ('rgb', 'visible', 'ir'):
        write(f'{folder}/1.png')
    with pytest.raises(UserError, match=r'more than one candidate .*rgb, visible, ir'):
        PairedDataset(tmp_path)


def test_hidden_and_other_files_are_left_out(tmp_path, write_pair):
    write_pair('set', '1.png')
    write_pair('set', '._2.png')
    (tmp_path / 'set' / 'visible' / 'readme.txt').write_text('hello')
    assert PairedDataset(tmp_path).summary() == 'pairs: 1 from 1 folder (0 without a twin)'


def test_side_by_side_folder(tmp_path, write, write_pair):
    write_pair('plain', '1.png')
    path = write('more/side_by_side/x/1.png', size=(8, 24))
    dataset = PairedDataset(tmp_path)
    assert len(dataset) == 2
    assert dataset.paths(0) == (path, path)
    assert dataset.read(0).shape == (8, 12, 6)
    assert len(PairedDataset(tmp_path / 'more' / 'side_by_side')) == 1


def test_side_by_side_only_when_asked_for(tmp_path, write):
    write('joined/1.png', size=(8, 24))
    with pytest.raises(UserError, match='no RGB-TIR pair'):
        PairedDataset(tmp_path)
    assert PairedDataset(tmp_path, layout='side-by-side').read(0).shape == (8, 12, 6)


@pytest.mark.parametrize(('file', 'text'), [
    ('list.txt', '# pairs\na/1.png b/1.png\n\na/2.png b/2.png\n'),
    ('list.csv', 'rgb,thermal\na/1.png,b/1.png\na/2.png, b/2.png\n'),
    ('list.txt', '\ufeffa/1.png\tb/1.png\r\na/2.png\tb/2.png\r\n')])
def test_list_file(tmp_path, write, file, text):
    for name in ('a/1.png', 'a/2.png', 'b/1.png', 'b/2.png'):
        write(name)
    (tmp_path / file).write_text(text, encoding='utf-8', newline='')
    dataset = PairedDataset(tmp_path / file)
    assert names(dataset, tmp_path) == [('a/1.png', 'b/1.png'), ('a/2.png', 'b/2.png')]
    assert dataset.summary() == 'pairs: 2 from 1 list (0 without a twin)'


def test_list_with_absolute_paths_and_blanks(tmp_path, write):
    rgb, tir = write('my data/1.png'), write('my data/2.png')
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'sub' / 'list.csv').write_text(f'{rgb},{tir}\n')
    assert PairedDataset(tmp_path / 'sub' / 'list.csv').paths(0) == (rgb, tir)


def test_list_with_missing_files(tmp_path, write):
    write('a.png')
    write('b.png')
    path = tmp_path / 'list.txt'
    path.write_text('a.png b.png\na.png gone.png\n')
    assert PairedDataset(path).summary() == (
        f'pairs: 1 from 1 list (1 without a twin, e.g. gone.png named in {path} does not exist)')


def test_list_with_a_bad_line(tmp_path, write):
    write('a.png')
    (tmp_path / 'list.txt').write_text('a.png a.png\na.png\n')
    with pytest.raises(UserError, match=r"list\.txt, line 2: expected two paths .*'a\.png'"):
        PairedDataset(tmp_path / 'list.txt')


def test_a_file_that_is_no_list(tmp_path, write):
    with pytest.raises(UserError, match='neither a folder nor a list'):
        PairedDataset(write('a.png'))


def test_read_gives_rgb_then_the_thermal_image_three_times(tmp_path, write):
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tir = np.random.default_rng(1).integers(0, 256, (5, 7), dtype=np.uint8)
    write('rgb/1.png', rgb)
    write('t/1.png', tir)
    pair = PairedDataset(tmp_path).read(0)
    assert pair.dtype == np.uint8
    np.testing.assert_array_equal(pair, np.dstack([rgb, tir, tir, tir]))


def test_unequal_sizes_name_both_files_and_sizes(tmp_path, write_pair):
    write_pair('set', '1.png', size=(8, 12), tir_size=(6, 9))
    with pytest.raises(UserError, match=r'visible.1\.png is 12 x 8, .*infrared.1\.png is 9 x 6'):
        PairedDataset(tmp_path).read(0)


@pytest.mark.parametrize('index', [-1, 1])
def test_index_out_of_range(tmp_path, write_pair, index):
    write_pair('set', '1.png')
    with pytest.raises(IndexError):
        PairedDataset(tmp_path).read(index)


@pytest.mark.skipif(os.name == 'nt', reason='links need rights on Windows')
def test_linked_folders_are_followed_and_loops_are_not(tmp_path, write_pair):
    write_pair('store/set', '1.png')
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'linked').symlink_to(tmp_path / 'store' / 'set')
    (tmp_path / 'data' / 'loop').symlink_to(tmp_path / 'data')
    assert len(PairedDataset(tmp_path / 'data')) == 1


def test_a_large_index_is_small(tmp_path, write_pair):
    """Equal names are kept once, as bytes: about as many as their letters, also for a worker."""
    write_pair('set', '1.png')
    for number in range(500):
        for folder in ('visible', 'infrared'):
            (tmp_path / 'set' / folder / f'{number:06d}.png').touch()
    group = find_pairs(tmp_path)[0]
    assert len(group.rgb) == 501
    assert group.rgb is group.tir
    assert len(pickle.dumps(PairedDataset(tmp_path))) < 501 * 12 + 2000
