"""The pseudo box `detection`: boxes find their pairs, pairs without a box get a random one, and it is told."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from cmd_plugin.data import PairedDataset, PairedSampler, VisibleTwice, cross_modal_processing, make_pseudo_box
from cmd_plugin.data.box_coco import write_coco
from cmd_plugin.data.box_records import Found, Record
from cmd_plugin.data.detection import Detection
from cmd_plugin.errors import UserError
from ltr.data import LTRLoader

SIZE = (48, 64)


@pytest.fixture
def pairs(tmp_path, write_pair):
    """Four pairs in two sets with equal names: `a/0.png`, `a/1.png`, `b/0.png`, `b/1.png`."""
    for folder in ('data/a', 'data/b'):
        for number in range(2):
            write_pair(folder, f'{number}.png', size=SIZE)
    return PairedDataset(tmp_path / 'data')


@pytest.fixture
def boxes(tmp_path):
    """`boxes({'rgb/a/0': '0 0.9 1 2 30 40'})` writes text files and gives their folder."""
    def make(texts: dict[str, str]) -> Path:
        for name, text in texts.items():
            path = tmp_path / 'boxes' / f'{name}.txt'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / 'boxes'
    return make


def bound(path: Path, pairs: PairedDataset) -> Detection:
    box = make_pseudo_box('detection', None, path)
    assert isinstance(box, Detection)
    box.bind(pairs)
    return box


def test_boxes_find_their_pairs(pairs, boxes):
    path = boxes({'rgb/a/0': '0 0.9 1 2 30 40\n', 'rgb/b/1': '2 0.9 5 6 20 20\n2 0.8 30 30 40 40\n'})
    box = bound(path, pairs)
    found = [box.boxes(index, SIZE).tolist() for index in range(4)]
    assert found == [[[1, 2, 30, 40]], [], [], [[5, 6, 20, 20], [30, 30, 40, 40]]]
    assert box(0, SIZE, np.random.default_rng(0)) == (1, 2, 29, 38)
    drawn = {tuple(box(3, SIZE, np.random.default_rng(seed))) for seed in range(20)}
    assert drawn == {(5, 6, 15, 14), (30, 30, 10, 10)}


def test_both_halves_are_matched_by_overlap(pairs, boxes):
    """The TIR box is the surer one of the pair of boxes; the third box is an object of its own."""
    path = boxes({'rgb/a/0': '0 0.5 10 10 30 40\n', 't/a/0': '0 0.9 10 10 30 39\n0 0.4 40 10 50 40\n'})
    assert bound(path, pairs).boxes(0, SIZE).tolist() == [[10, 10, 30, 39], [40, 10, 50, 40]]


def test_released_fairmot_boxes_of_the_joined_canvas(pairs, boxes):
    path = boxes({'a/1': '10 10 30 40 0.5 person\n74 10 94 39 0.9 tperson\n'})
    np.testing.assert_allclose(bound(path, pairs).boxes(1, SIZE), [[10, 10, 30, 39]])


def test_names_with_a_mark_of_modality(tmp_path, write, boxes):
    write('set/visible/007v.png', size=SIZE)
    write('set/infrared/007i.png', channels=1, size=SIZE)
    path = boxes({'rgb/007v': '0 0.5 10 10 30 40\n', 't/007i': '0 0.9 10 10 30 39\n'})
    assert bound(path, PairedDataset(tmp_path / 'set')).boxes(0, SIZE).tolist() == [[10, 10, 30, 39]]


def test_boxes_are_clipped_and_what_is_outside_is_no_box(pairs, boxes):
    path = boxes({'rgb/a/0': '0 0.9 -10 -5 30 400\n0 0.8 100 10 120 20\n', 'rgb/a/1': '0 0.9 100 10 120 20\n',
                  'rgb/b/1': '0 0.9 5 5 9 9'})
    box = bound(path, pairs)
    assert box.boxes(0, SIZE).tolist() == [[0, 0, 30, 48]] and len(box.boxes(1, SIZE)) == 0


def test_pairs_without_a_box_get_a_random_one_and_are_counted(pairs, boxes):
    path = boxes({'rgb/a/0': '0 0.9 1 2 30 40\n0 0.8 9 9 9 20\n', 'rgb/a/1': '', 'rgb/c/5': '0 0.9 1 2 30 40\n'})
    sampler = PairedSampler(pairs, make_pseudo_box('detection', None, path), 40)
    assert sampler.summary() == 'detection: 1 boxes without an area dropped; boxes of 1 images name no pair in use'
    np.random.seed(0)
    annotations = [sampler[number]['train_anno'][0].tolist() for number in range(40)]
    found = [anno for anno in annotations if anno == [1, 2, 29, 38]]
    assert 2 < len(found) < 25
    assert all(anno[2:] == [8, 8] for anno in annotations if anno not in found)
    assert len({tuple(anno) for anno in annotations}) == 41 - len(found)
    assert sampler.summary() == (f'detection: {40 - len(found)} of 40 draws had no detected box (3 of 4 pairs): '
                                 'random_sampling in its place; 1 boxes without an area dropped; boxes of 1 images '
                                 'name no pair in use')


def test_the_seed_decides(pairs, boxes):
    path = boxes({'rgb/b/1': '2 0.9 5 6 20 20\n2 0.8 30 30 40 40\n'})

    def drawn(seed: int) -> list[list[float]]:
        np.random.seed(seed)
        sampler = PairedSampler(pairs, make_pseudo_box('detection', None, path), 20)
        return [sampler[number]['test_anno'][0].tolist() for number in range(20)]
    assert drawn(1) == drawn(1) != drawn(2)


def test_the_control_without_thermal_images_takes_boxes_too(pairs, boxes):
    path = boxes({'rgb/a/0': '0 0.9 1 2 30 40\n'})
    sampler = PairedSampler(VisibleTwice(pairs), make_pseudo_box('detection', None, path), 5)
    np.random.seed(0)
    assert sampler[0]['train_images'][0].shape == (*SIZE, 6)


def test_boxes_that_name_no_pair(pairs, boxes):
    with pytest.raises(UserError, match=r'boxes of 2 images, but none of a pair in use: e\.g\. boxes are of rgb/c/0\.tx'
                                        r't, pairs are like .*0\.png'):
        bound(boxes({'rgb/c/0': '0 0.9 1 2 30 40\n', 'rgb/c/1': ''}), pairs)


def test_boxes_that_fit_several_pairs(pairs, boxes):
    with pytest.raises(UserError, match=r'boxes of 0 fit several pairs, e\.g\. .*0\.png and .*0\.png'):
        bound(boxes({'rgb/0': '0 0.9 1 2 30 40\n'}), pairs)


def test_the_folder_that_names_are_relative_to_decides(tmp_path, pairs):
    record = Record('visible/0.png', 'rgb', (Found(1, 2, 30, 40, 0.9, 'car'),), SIZE)
    write_coco(tmp_path / 'b.json', [record], {'root': 'b'})
    box = bound(tmp_path / 'b.json', pairs)
    assert [len(box.boxes(index, SIZE)) for index in range(4)] == [0, 0, 1, 0]
    # Where the folder has another name now, its pairs are still found.
    alone = PairedDataset(tmp_path / 'data' / 'a')
    assert len(bound(tmp_path / 'b.json', alone).boxes(0, SIZE)) == 1


@pytest.mark.usefixtures('pairs')
def test_a_pair_that_is_given_twice_has_its_boxes_twice(tmp_path, boxes):
    twice = PairedDataset([tmp_path / 'data', tmp_path / 'data'])
    box = bound(boxes({'rgb/a/1': '0 0.9 1 2 30 40\n'}), twice)
    assert [len(box.boxes(index, SIZE)) for index in range(8)] == [0, 1, 0, 0, 0, 1, 0, 0]


def test_several_files_in_one_folder(tmp_path, pairs):
    for name, x in (('a', 1.0), ('b', 2.0)):
        record = Record('visible/0.png', 'rgb', (Found(x, 2, 30, 40, 0.9, 'car'),), SIZE)
        write_coco(tmp_path / 'made' / f'{name}.json', [record], {'root': name})
    box = bound(tmp_path / 'made', pairs)
    assert [box.boxes(index, SIZE)[:, 0].tolist() for index in range(4)] == [[1], [], [2], []]


def test_boxes_of_images_of_another_size(tmp_path, pairs, boxes):
    record = Record('a/visible/0.png', 'rgb', (Found(1, 2, 30, 40, 0.9, 'car'),), (512, 640))
    write_coco(tmp_path / 'boxes.json', [record], {})
    with pytest.raises(UserError, match=r'boxes of pair .*0\.png in .*boxes\.json were made on an image of 640 x 512 px'
                                        ', the pair has 64 x 48'):
        bound(tmp_path / 'boxes.json', pairs)
    with pytest.raises(UserError, match=r'2 of 2 pairs looked at have all their boxes in .* outside the image, e\.g\.'
                                        r' .*0\.png \(64 x 48 px\)'):
        bound(boxes({'rgb/a/0': '0 0.9 400 20 430 40\n', 'rgb/a/1': '0 0.9 400 20 430 40\n'}), pairs)


def test_not_bound_is_a_mistake_of_the_program(boxes):
    with pytest.raises(ValueError, match='bind'):
        Detection(boxes({'rgb/0': '0 0.9 1 2 30 40\n'}))(0, SIZE, np.random.default_rng(0))


@pytest.mark.slow
def test_worker_processes_draw_alike_and_count(pairs, boxes):
    path = boxes({'rgb/b/1': '2 0.9 5 6 20 20\n2 0.8 30 30 40 40\n'})
    drawn = []
    for workers in (2, 2):
        sampler = PairedSampler(pairs, make_pseudo_box('detection', None, path), 40, cross_modal_processing(96, 6))
        np.random.seed(0)
        random.seed(0)
        torch.manual_seed(0)
        loader = LTRLoader('train', sampler, training=True, batch_size=10, num_workers=workers, stack_dim=1)
        drawn.append(torch.cat([batch['train_anno'] for batch in loader], dim=1))
        assert 'of 40 draws had no detected box (3 of 4 pairs)' in sampler.summary()
    assert torch.equal(*drawn)
