"""Box files: what is written is read back, what the released files look like is understood, the rest is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmd_plugin.data.box_coco import read_coco, write_coco
from cmd_plugin.data.box_files import read_boxes
from cmd_plugin.data.box_lines import write_text_boxes
from cmd_plugin.data.box_records import Found, Record, bare_name, modality_of
from cmd_plugin.data.coco_names import COCO_NAMES
from cmd_plugin.errors import UserError

# Whole ten-thousandths, the resolution of the files.
NUMBERS = st.integers(-10_000_000, 20_000_000).map(lambda value: value / 10_000)
SIDES = st.integers(1, 10_000_000).map(lambda value: value / 10_000)
SCORES = st.integers(0, 10_000).map(lambda value: value / 10_000)
COCO = st.sampled_from(COCO_NAMES)
WORDS = COCO | st.text('abcdefghij -_', min_size=1).map(str.strip).filter(bool)


def founds(labels: st.SearchStrategy[str]) -> st.SearchStrategy[Found]:
    return st.builds(lambda x, y, w, h, score, label: Found(x, y, round(x + w, 4), round(y + h, 4), score, label),
                     NUMBERS, NUMBERS, SIDES, SIDES, SCORES, labels)


def records(labels: st.SearchStrategy[str]) -> st.SearchStrategy[list[Record]]:
    def named(boxes: list[tuple[tuple[Found, ...], tuple[Found, ...], tuple[int, int]]]) -> list[Record]:
        return [Record(f'set {place}/{folder}/{place:03}.jpg', side, found, size)
                for place, (rgb, tir, size) in enumerate(boxes)
                for side, folder, found in (('rgb', 'visible', rgb), ('tir', 'infrared', tir))]
    some = st.lists(founds(labels), max_size=4).map(tuple)
    pair = st.tuples(some, some, st.tuples(st.integers(1, 2000), st.integers(1, 2000)))
    # Without any box there is nothing to read; that is tested below.
    return st.lists(pair, min_size=1, max_size=3).map(named).filter(lambda made: any(r.boxes for r in made))


EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def fresh(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp('boxes')


@EXAMPLES
@given(records(WORDS))
def test_coco_there_and_back(fresh, written):
    path = fresh() / 'a' / 'boxes.json'
    write_coco(path, written, {'source': 'test', 'root': 'set'})
    (found,) = read_boxes(path)
    assert found.records == written and found.root == 'set' and found.flat == 0
    again = path.with_name('again.json')
    write_coco(again, found.records, {'source': 'test', 'root': 'set'})
    assert again.read_bytes() == path.read_bytes()
    contents = json.loads(path.read_text())
    assert all(entry['bbox'][2] > 0 and entry['bbox'][3] > 0 for entry in contents['annotations'])


@EXAMPLES
@given(records(WORDS))
def test_yolov5_there_and_back(fresh, written):
    folder = fresh()
    write_text_boxes(folder, written, 'yolov5')
    (found,) = read_boxes(folder)
    assert sorted(found.records, key=lambda r: (r.modality, r.name)) == sorted(
        (Record('/'.join(('rgb' if r.modality == 'rgb' else 't', *bare_name(r.name))) + '.txt', r.modality, r.boxes)
         for r in written), key=lambda r: (r.modality, r.name))


@EXAMPLES
@given(records(COCO))
def test_fairmot_there_and_back(fresh, written):
    folder = fresh()
    write_text_boxes(folder, written, 'fairmot')
    (found,) = read_boxes(folder)
    by_name = {(bare_name(r.name), r.modality): r for r in found.records}
    assert set(by_name) == {(bare_name(r.name), r.modality) for r in written if r.boxes or r.modality == 'rgb'}
    for record in written:
        if record.modality == 'tir':
            width = record.size[1]
            shifted = tuple(box._replace(x1=pytest.approx(box.x1 + width), x2=pytest.approx(box.x2 + width))
                            for box in record.boxes)
            assert not record.boxes or by_name[bare_name(record.name), 'tir'].boxes == shifted
            assert not record.boxes or by_name[bare_name(record.name), 'tir'].joined
        else:
            assert by_name[bare_name(record.name), 'rgb'].boxes == record.boxes


def test_a_released_fairmot_file(tmp_path):
    (tmp_path / '00012.txt').write_text('100 50 140.5 80 0.91 car\n745 51 780 82 0.85 tcar\n\n'
                                        '20 60 30 90 0.6 person\n660 60 671 90 0.7 tperson\n10 10 90 60 0.5 train\n')
    (found,) = read_boxes(tmp_path)
    assert found.records == [
        Record('00012.txt', 'rgb', (Found(100, 50, 140.5, 80, 0.91, 'car'), Found(20, 60, 30, 90, 0.6, 'person'),
                                    Found(10, 10, 90, 60, 0.5, 'train'))),
        Record('00012.txt', 'tir', (Found(745, 51, 780, 82, 0.85, 'car'), Found(660, 60, 671, 90, 0.7, 'person')),
               joined=True)]


def test_released_yolov5_files(tmp_path):
    for name, text in (('rgb/set/7.txt', '0 0.9 1 2 30 40\n2 0.5 5 5 9 9\n'), ('t/set/7.txt', 'car 0.8 1 2 31 41\n'),
                       ('t/set/8.txt', '')):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (found,) = read_boxes(tmp_path)
    assert found.records == [
        Record('rgb/set/7.txt', 'rgb', (Found(1, 2, 30, 40, 0.9, 'person'), Found(5, 5, 9, 9, 0.5, 'car'))),
        Record('t/set/7.txt', 'tir', (Found(1, 2, 31, 41, 0.8, 'car'),)), Record('t/set/8.txt', 'tir', ())]
    assert found.count == 3


COCO_FILE = {'images': [{'id': 7, 'file_name': 'infrared\\a\\1.jpg', 'width': 640, 'height': 512}],
             'annotations': [{'image_id': 7, 'category_id': 3, 'bbox': [1, 2, 3, 4]},
                             {'image_id': 7, 'category_id': 3, 'bbox': [1, 2, 300, 400], 'iscrowd': 1}],
             'categories': [{'id': 3, 'name': 'dog'}]}


def test_a_coco_file_of_other_tools(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(COCO_FILE))
    assert read_coco(path).records == [Record('infrared/a/1.jpg', 'tir', (Found(1, 2, 4, 6, 1.0, 'dog'),), (512, 640))]


@pytest.mark.parametrize(('change', 'told'), [
    ({'images': None}, 'it has no list of images'), ({'annotations': {}}, 'it has no list of annotations'),
    ({'images': [{'id': 7}]}, 'entry 0 of images lacks id or file_name'),
    ({'annotations': [{'image_id': 8, 'bbox': [1, 2, 3, 4]}]}, 'annotation 0: there is no image 8'),
    ({'annotations': [{'id': 5, 'image_id': 7, 'bbox': [1, 2, 3]}]},
     r'annotation 5: bbox must be \[x, y, width, height\]'),
    ({'annotations': [{'image_id': 7, 'bbox': [1, 2, None, 4]}]}, "annotation 0: 'None' is not a finite number"),
    ({'annotations': [{'image_id': 7, 'bbox': [1, 2, float('nan'), 4]}]}, 'not a finite number'),
    ({'annotations': []}, 'holds no box'),
])
def test_json_that_does_not_fit(tmp_path, change, told):
    path = tmp_path / 'boxes.json'
    path.write_text(json.dumps({**COCO_FILE, **change}))
    with pytest.raises(UserError, match=rf'boxes\.json.*{told}'):
        read_boxes(path)


@pytest.mark.parametrize(('name', 'text', 'told'), [
    ('a.json', '', r'a\.json is an empty file: it holds no box'), ('a.json', '{"images": [', r'a\.json is not JSON'),
    ('a.json', '[1, 2]', r'a\.json is not COCO JSON: expected an object'),
    ('a.txt', '', r'holds no box: a run of `python -m cmd_plugin detect` writes some'),
    ('a.txt', '\n  \n', 'holds no box'),
    ('a.txt', 'hello world\n', r"a\.txt, line 1: unknown format of boxes: 'hello world'; known are FairMOT text"),
    ('a.txt', '1 2 3 4\n', r'a\.txt, line 1: unknown format'),
    ('a.txt', '1,2,3,4,0.5,car\n', r'a\.txt, line 1: unknown format'),
    ('a.txt', '\n1 2 3 4 0.5 car\n1 2 3 4 0.5\n', r'a\.txt, line 3: expected x1 y1 x2 y2 score label'),
    ('a.txt', '1 2 3 4 0.5 car\n1 2 x 4 0.5 car\n', r"a\.txt, line 2: 'x' is not a finite number"),
    ('a.txt', '1 2 3 inf 0.5 car\n', r"a\.txt, line 1: 'inf' is not a finite number"),
    ('a.txt', '1 2 3 4 0.5 tcra\n', r"a\.txt, line 1: unknown label 'tcra'; near: .*car"),
    ('a.txt', '0 0.5 1 2 3 4\n0 0.5 1 2 3\n', r'a\.txt, line 2: expected class confidence x1 y1 x2 y2'),
    ('a.txt', '0 0.5 1 2 3 4\n0 0.5 1 2 3 nan\n', r"a\.txt, line 2: 'nan' is not a finite number"),
    ('a.csv', '1 2 3 4 0.5 car', r'a\.csv: unknown format of boxes; known are'),
])
def test_files_that_do_not_fit(tmp_path, name, text, told):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError, match=told) as error:
        read_boxes(path)
    assert '\n' not in str(error.value)


def test_boxes_without_an_area_are_dropped_and_counted(tmp_path):
    (tmp_path / 'a.txt').write_text('0 0.5 1 2 3 4\n0 0.5 9 9 9 20\n0 0.5 9 9 20 9\n0 0.5 5 6 7 8\n')
    (found,) = read_boxes(tmp_path)
    assert [box.x1 for box in found.records[0].boxes] == [1, 5]
    assert (found.count, found.flat) == (2, 2)
    assert found.example == f'{tmp_path / "a.txt"}, line 2: (9.0, 9.0, 9.0, 20.0)'


def test_mostly_without_an_area_is_another_format(tmp_path):
    """As when x y w h was meant."""
    (tmp_path / 'a.txt').write_text('0 0.5 100 100 20 30\n0 0.5 90 90 20 30\n0 0.5 5 6 7 8\n')
    with pytest.raises(UserError, match=r'2 of 3 boxes in .* have no area, e\.g\. .*a\.txt, line 1: .*another format'):
        read_boxes(tmp_path)


def test_places_that_hold_nothing_or_two_formats(tmp_path):
    with pytest.raises(UserError, match=r'no such file or folder of boxes: .*none'):
        read_boxes(tmp_path / 'none')
    with pytest.raises(UserError, match='holds no box'):
        read_boxes(tmp_path)
    (tmp_path / 'a.txt').write_text('0 0.5 1 2 3 4\n')
    (tmp_path / 'b.json').write_text(json.dumps(COCO_FILE))
    with pytest.raises(UserError, match=r'holds boxes in two formats, e\.g\. b\.json and a\.txt'):
        read_boxes(tmp_path)


def test_a_binary_file_is_no_text(tmp_path):
    for name in ('a.txt', 'a.json'):
        (tmp_path / name).write_bytes(b'\xff\xfe\x00\x80')
        with pytest.raises(UserError, match=f'{name} is not a text file'):
            read_boxes(tmp_path / name)


def test_classes_that_text_cannot_hold(tmp_path):
    def record(label: str) -> list[Record]:
        return [Record('a.jpg', 'rgb', (Found(1, 2, 3, 4, 0.5, label),))]
    with pytest.raises(UserError, match=r"FairMOT text cannot hold the class 'drone' of a\.jpg"):
        write_text_boxes(tmp_path, record('drone'), 'fairmot')
    for label in ('7', 'a\nb', ' '):
        with pytest.raises(UserError, match='YOLOv5 text cannot hold the class'):
            write_text_boxes(tmp_path, record(label), 'yolov5')


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'cannot write .*file.*a\.json'):
        write_coco(tmp_path / 'file' / 'a.json', [], {})
    assert [path.name for path in tmp_path.iterdir()] == ['file']


@pytest.mark.parametrize(('name', 'bare', 'side'), [
    ('visible/a/01.jpg', ('a', '01'), 'rgb'), ('set/Infrared/a/01.png', ('set', 'a', '01'), 'tir'),
    ('t/rgb/1.txt', ('1',), 'rgb'), ('../x/v2.1_frame', ('x', 'v2.1_frame'), 'rgb'),
    ('a/12.30.45', ('a', '12.30.45'), 'rgb'),
    ('01.txt', ('01',), 'rgb')])
def test_names(name, bare, side):
    assert bare_name(name) == bare and modality_of(name) == side
    assert bare_name(Path(name).as_posix()) == bare
