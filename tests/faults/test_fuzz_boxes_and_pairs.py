"""Damaged box files, lists and folders of pairs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmd_plugin.data.box_files import read_boxes
from cmd_plugin.data.box_names import match_records
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.errors import UserError
from tests.faults.fuzzing import TALLY, attempt, damaged

COCO = {'info': {'root': 'pairs'}, 'categories': [{'id': 1, 'name': 'person'}],
        'images': [{'id': 1, 'file_name': 'visible/1.png', 'width': 40, 'height': 24, 'modality': 'rgb'},
                   {'id': 2, 'file_name': 'visible/2.png', 'width': 40, 'height': 24}],
        'annotations': [{'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': [1, 2, 10.5, 8], 'score': 0.5},
                        {'id': 2, 'image_id': 2, 'category_id': 1, 'bbox': [5, 2, 10, 8]}]}
SEEDS = {'boxes: COCO JSON': ('1.json', json.dumps(COCO).encode()),
         'boxes: FairMOT': ('1.txt', b'1.5 2 10 12 0.9 person\n45 3 60 12 0.8 tcar\n'),
         'boxes: YOLOv5': ('1.txt', b'0 0.9 1.5 2 10 12\n2 0.8 3 4 20 12.25\n')}
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.text(max_size=5))
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)), max_leaves=5)
fuzz = settings(max_examples=40, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope='module')
def pairs(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('set') / 'pairs'
    image = np.random.default_rng(0).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    for half in ('visible', 'infrared'):
        (root / half).mkdir(parents=True)
        for number in (1, 2):
            assert cv2.imwrite(str(root / half / f'{number}.png'), image)
    return root


def read_and_match(path: Path, dataset: PairedDataset):
    sets = read_boxes(path)
    return sets, match_records(sets, dataset)


def check_boxes(result) -> None:
    sets, (by_pair, _) = result
    assert sum(found.count for found in sets) > 0 and by_pair.keys() <= {0, 1}
    for found in sets:
        for record in found.records:
            assert record.modality in ('rgb', 'tir') and isinstance(record.name, str)
            for box in record.boxes:
                assert np.isfinite(box[:5]).all() and box.x2 > box.x1 and box.y2 > box.y1 and isinstance(box.label, str)


@pytest.mark.parametrize('area', list(SEEDS))
def test_damaged_box_files(tmp_path, pairs, area):
    name, whole = SEEDS[area]
    path, dataset = tmp_path / name, PairedDataset(pairs)
    path.write_bytes(whole)
    check_boxes(read_and_match(path, dataset))
    rng = np.random.default_rng(list(SEEDS).index(area))
    for _ in range(24):
        path.write_bytes(damaged(whole, rng))
        result = attempt(area, lambda: read_and_match(path, dataset), path, 'boxes of')
        if result is not None:
            check_boxes(result)


@fuzz
@given(st.data())
def test_coco_with_any_value_in_any_place(data):
    """Of the right form but for one value."""
    contents = json.loads(json.dumps(COCO))
    part = data.draw(st.sampled_from(list(contents)))
    place = data.draw(st.integers(0, max(0, len(contents[part]) - 1)))
    target = contents[part] if isinstance(contents[part], dict) else contents[part][place]
    target[data.draw(st.sampled_from(list(target)))] = data.draw(VALUES)
    if data.draw(st.booleans()):
        contents[data.draw(st.sampled_from(list(contents)))] = data.draw(VALUES)
    path = Path(_folder(), 'x.json')
    path.write_text(json.dumps(contents))
    sets = attempt('boxes: COCO JSON', lambda: read_boxes(path), path)
    for found in sets or ():
        assert all(np.isfinite(box[:5]).all() for record in found.records for box in record.boxes)


def _folder() -> str:
    import tempfile
    _folder.made = getattr(_folder, 'made', None) or tempfile.TemporaryDirectory()
    return _folder.made.name


@pytest.mark.parametrize('text', ['[' * 100_000, '{"images": ' * 20_000, '1e999', '"\\ud800"', '{"images": [1e400]}'])
def test_json_that_is_hard_to_read(tmp_path, text):
    path = tmp_path / 'x.json'
    path.write_text(text)
    assert attempt('boxes: COCO JSON', lambda: read_boxes(path), path) is None


LIST_CELLS = st.one_of(st.sampled_from(['visible/1.png', 'infrared/1.png', '', '..', '/', 'visible', '"', 'a b', '\0',
                                        '\r', 'x' * 300, '# 1', 'rgb', 'tir', '\u2028']), st.text(max_size=6))


@fuzz
@given(st.lists(st.lists(LIST_CELLS, max_size=3), max_size=5), st.sampled_from([',', '\t', ' ', ';']))
def test_any_list_of_pairs(pairs, rows, separator):
    path = pairs / 'list.txt'
    path.write_bytes('\n'.join(separator.join(row) for row in rows).encode('utf-8', 'surrogatepass'))
    dataset = attempt('pair lists', lambda: PairedDataset(path), path)
    for index in range(len(dataset) if dataset else 0):
        assert all(place.exists() for place in dataset.paths(index))
        pair = attempt('pair lists', lambda index=index: dataset.read(index), *dataset.paths(index))
        assert pair is None or (pair.shape[2] == 6 and pair.dtype == np.uint8)
    path.unlink()


NAMES = ['a.png', 'b.png', 'B.PNG', '1.jpg', '01.jpg', '.hidden.png', 'a b.png', 'ä.png', 'a\nb.png', 'x.txt',
         'nan.tif', "it's.png", '<b>.png', 'n' * 250 + '.png', 'folder.png/inner.png', 'noext']


def test_folders_of_odd_names(tmp_path):
    """Twins, lone images, two of one stem, folders called like images, other modality names; each is found or told."""
    rng = np.random.default_rng(3)
    done, data = cv2.imencode('.png', rng.integers(0, 255, (8, 12, 3), dtype=np.uint8))
    assert done
    for number in range(24):
        root = tmp_path / str(number)
        for folder in rng.choice(['visible', 'infrared', 'rgb', 'tir', 'a/visible', 'a/ir', 'side_by_side'],
                                 rng.integers(1, 5), replace=False).tolist():
            for name in rng.choice(NAMES, rng.integers(0, 6), replace=False).tolist():
                path = root / folder / name
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data.tobytes()[:None if rng.random() < 0.8 else 40])
                except OSError:
                    assert os.name == 'nt' or len(name) > 200
        root.mkdir(exist_ok=True)
        dataset = attempt('pair folders', lambda root=root: PairedDataset(root), root, 'visible', 'a')
        for index in range(len(dataset) if dataset else 0):
            one, other = dataset.paths(index)
            assert one.exists() and other.exists()
            pair = attempt('pair folders', lambda dataset=dataset, index=index: dataset.read(index),
                           *(str(name).replace('\n', '\\n') for name in (one, other)))
            assert pair is None or pair.shape == (8, 12, 6) or (one == other and pair.shape == (8, 6, 6))


@pytest.mark.skipif(sys.platform == 'win32' or not hasattr(os, 'geteuid') or os.geteuid() == 0, reason='for users only')
def test_a_folder_without_permission(tmp_path, pairs):
    closed = tmp_path / 'visible'
    closed.mkdir(mode=0)
    with pytest.raises(UserError, match='cannot list folder'):
        PairedDataset(tmp_path)


def test_enough_cases(capsys):
    assert sum(TALLY.cases(area) for area in SEEDS) >= 110 and TALLY.cases('pair folders') >= 30
    assert TALLY.cases('pair lists') >= 40
    with capsys.disabled():
        print('\n' + TALLY.table())
