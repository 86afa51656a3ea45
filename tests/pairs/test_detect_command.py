"""`python -m cmd_plugin detect`: once, resumable, the same bytes whatever happened in between."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_onnx import constant_detector

from cmd_plugin import cli
from cmd_plugin.data import PairedDataset
from cmd_plugin.data.box_files import read_boxes
from cmd_plugin.detect.choosing import choose_classes, make_detector
from cmd_plugin.detect.detecting import detect_pairs
from cmd_plugin.detect.detector import Candidates
from cmd_plugin.detect.journal import Journal
from cmd_plugin.errors import UserError

ALL = frozenset({'car', 'person'})


class Fake:
    """A detector whose boxes hang on the image; `stop` ends it at the n-th image, as Ctrl-C or a crash would."""

    names = ('car', 'person')

    def __init__(self, stop: int = 1000, how: type[BaseException] = KeyboardInterrupt, source: str = 'fake') -> None:
        self.calls, self.stop, self.how, self.source = 0, stop, how, source

    def __call__(self, image: np.ndarray, least: float) -> Candidates:
        if self.calls == self.stop:
            raise self.how
        self.calls += 1
        x = float(image.astype(np.float64).mean()) / 10
        boxes = np.array([(x - 20, 3, x + 4, 8), (1.23456, 2, 7, 7), (20, 1, 30, 5)])
        return Candidates(boxes, np.array([0.98765, 0.8, 0.7]), ['car', 'person', 'car'])


@pytest.fixture
def folder(tmp_path, write_pair):
    for number in range(6):
        write_pair('set', f'{number}.png', size=(8, 24))
    return tmp_path / 'set'


def detect(folder: Path, out: Path, detector: Fake, score: float = 0.3, classes: frozenset[str] = ALL) -> str:
    return detect_pairs(PairedDataset(folder), folder, detector, out, classes, score)


def test_what_is_written(folder, tmp_path):
    out = tmp_path / 'new' / 'boxes.json'
    line = detect(folder, out, Fake())
    assert line == (f'boxes: 18 on 6 of 6 pairs, 0 without (random_sampling will serve them), 6 of them new: {out} '
                    f'(train with CMD_BOXES={out})')
    contents = json.loads(out.read_text())
    assert contents['info'] == {'source': 'fake', 'score': 0.3, 'classes': 'all', 'root': 'set'}
    assert [image['file_name'] for image in contents['images']] == [f'visible/{n}.png' for n in range(6)]
    assert contents['images'][0] | {'id': 0} == {'id': 0, 'file_name': 'visible/0.png', 'width': 24, 'height': 8,
                                                 'modality': 'rgb'}
    boxes = read_boxes(out)[0].records[0].boxes
    # Clipped to the image, in hundredths of a px, the most confident first.
    assert boxes[0].x1 == 0 and boxes[0].score == 0.9877 and boxes[0].label == 'car'
    assert boxes[1] == (1.23, 2, 7, 7, 0.8, 'person') and boxes[2] == (20, 1, 24, 5, 0.7, 'car')
    assert [path.name for path in out.parent.iterdir()] == ['boxes.json']


def test_classes_are_kept_by_the_filter(folder, tmp_path):
    detect(folder, tmp_path / 'a.json', Fake(), classes=frozenset({'person'}))
    (found,) = read_boxes(tmp_path / 'a.json')
    assert {box.label for record in found.records for box in record.boxes} == {'person'} and found.count == 6
    assert json.loads((tmp_path / 'a.json').read_text())['info']['classes'] == 'person'


def test_twice_gives_the_same_file_and_no_work(folder, tmp_path):
    one, other = tmp_path / '1.json', tmp_path / '2.json'
    detect(folder, one, Fake())
    detect(folder, other, Fake())
    assert one.read_bytes() == other.read_bytes()
    idle = Fake(stop=0)
    assert '0 of them new' in detect(folder, one, idle)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize('how', [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize('stop', [0, 1, 4])
def test_stopped_half_way_it_goes_on(folder, tmp_path, stop, how):
    whole, out = tmp_path / 'whole.json', tmp_path / 'out.json'
    detect(folder, whole, Fake())
    with pytest.raises(how):
        detect(folder, out, Fake(stop, how))
    assert not out.exists()
    rest = Fake()
    detect(folder, out, rest)
    assert rest.calls == 6 - stop
    assert out.read_bytes() == whole.read_bytes() and not out.with_name('out.json.part').exists()


@pytest.mark.parametrize('cut', [1, 7, 30])
def test_a_torn_last_line_is_done_again(folder, tmp_path, cut):
    """As a power cut leaves it."""
    whole, out = tmp_path / 'whole.json', tmp_path / 'out.json'
    detect(folder, whole, Fake())
    with pytest.raises(KeyboardInterrupt):
        detect(folder, out, Fake(3))
    part = out.with_name('out.json.part')
    part.write_bytes(part.read_bytes()[:-cut])
    rest = Fake()
    detect(folder, out, rest)
    assert rest.calls == 4 and out.read_bytes() == whole.read_bytes()


def test_new_pairs_are_added_and_lost_ones_go(folder, tmp_path, write_pair):
    out = tmp_path / 'out.json'
    detect(folder, out, Fake())
    for half in ('visible', 'infrared'):
        (folder / half / '2.png').unlink()
    write_pair('set', '9.png', size=(8, 24))
    more = Fake()
    assert ' 1 of them new' in detect(folder, out, more)
    assert more.calls == 1
    assert [Path(record.name).stem for record in read_boxes(out)[0].records] == ['0', '1', '3', '4', '5', '9']


def test_other_settings_are_refused(folder, tmp_path):
    out = tmp_path / 'out.json'
    detect(folder, out, Fake())
    with pytest.raises(UserError, match=r'out\.json was made with other settings \(score 0\.3, now 0\.5\): remove it'):
        detect(folder, out, Fake(), score=0.5)
    with pytest.raises(KeyboardInterrupt):
        detect(folder, tmp_path / 'b.json', Fake(2))
    with pytest.raises(UserError, match=r"b\.json\.part was begun with other settings \(source 'fake', now 'other'\)"):
        detect(folder, tmp_path / 'b.json', Fake(source='other'))


@pytest.mark.parametrize('text', ['hello\n', '[1]\n', '{"source": "fake", "score": 0.3, "classes": "all"}\n[1, 2]\n'])
def test_a_damaged_journal_is_refused(folder, tmp_path, text):
    (tmp_path / 'out.json.part').write_text(text)
    with pytest.raises(UserError, match=r'out\.json\.part (is damaged|was begun with other settings)'):
        detect(folder, tmp_path / 'out.json', Fake())


def test_a_journal_in_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'cannot write .*file'):
        Journal(tmp_path / 'file' / 'a.part', {})


def test_pairs_that_cannot_be_read_are_told_and_tried_again(folder, tmp_path):
    bad = folder / 'visible' / '3.png'
    good = bad.read_bytes()
    bad.write_bytes(good[:-30])
    out = tmp_path / 'out.json'
    line = detect(folder, out, Fake())
    assert '18 on' not in line and '15 on 5 of 5 pairs' in line
    assert f'1 pairs could not be used, e.g. image {bad} is cut short' in line
    bad.write_bytes(good)
    assert ' 1 of them new' in detect(folder, out, Fake())
    detect(folder, tmp_path / 'whole.json', Fake())
    assert out.read_bytes() == (tmp_path / 'whole.json').read_bytes()


def test_no_pair_can_be_read(folder, tmp_path):
    for path in (folder / 'visible').iterdir():
        path.write_bytes(b'')
    with pytest.raises(UserError, match=r'none of 6 pairs could be used, e\.g\. image .*0\.png is an empty file'):
        detect(folder, tmp_path / 'out.json', Fake())


def test_unknown_classes_name_those_near():
    known = ('person', 'car', 'truck', 'cat')
    assert choose_classes('Person, car', known) == {'person', 'car'} and choose_classes(None, known) == set(known)
    with pytest.raises(UserError, match=r"knows no 'trucks'; near: truck"):
        choose_classes('car,trucks', known)
    with pytest.raises(UserError, match=r"knows no 'zebra'; known: person, car, truck, cat"):
        choose_classes('zebra', known)
    with pytest.raises(UserError, match='--classes is empty'):
        choose_classes(' , ', known)


def test_detectors_that_are_not_there(tmp_path):
    with pytest.raises(UserError, match=r'no detector: give --model FILE\.onnx .*, or --detector fasterrcnn'):
        make_detector(None, None, None, None)
    with pytest.raises(UserError, match='--weights belongs to --detector fasterrcnn'):
        make_detector('yolo', tmp_path, tmp_path, None)
    with pytest.raises(UserError, match='--model and --names belong to --detector yolo'):
        make_detector('fasterrcnn', tmp_path, None, None)
    with pytest.raises(UserError, match=r'cannot read class names .*none\.txt'):
        make_detector('yolo', tmp_path, None, tmp_path / 'none.txt')


@pytest.fixture
def model(tmp_path):
    """A detector of 64 x 64 px that finds one car in the middle of its input's upper left quarter."""
    output = np.zeros((1, 84, 6), np.float32).transpose(0, 2, 1)
    output[0, :, 3] = (16, 16, 16, 16, 0.9, 0)
    path = tmp_path / 'model.onnx'
    path.write_bytes(constant_detector(output))
    (tmp_path / 'names.txt').write_text('car\nperson\n')
    return path


def run(*arguments: str | Path) -> int:
    return cli.main(['detect', *map(str, arguments)])


def test_the_command_line(folder, tmp_path, model, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run('--pairs', folder, '--model', model, '--names', 'names.txt', '--classes', 'car', '--score', '0.5') == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == 'pairs: 6 from 1 folder (0 without a twin)'
    assert printed.out.splitlines()[1].startswith('boxes: 6 on 6 of 6 pairs, 0 without')
    assert '6/6' in printed.err
    (found,) = read_boxes(Path('workspace/boxes/set.json'))
    # 24 px fill the 64 px of the input.
    np.testing.assert_allclose(found.records[0].boxes[0][:4], (3, 3, 9, 8))
    with pytest.raises(UserError, match="knows no 'cars'; near: car"):
        run('--pairs', folder, '--model', model, '--names', 'names.txt', '--classes', 'cars')


def test_from_one_format_into_every_other(folder, tmp_path, capsys):
    (tmp_path / 'given' / 'rgb').mkdir(parents=True)
    (tmp_path / 'given' / 't').mkdir()
    (tmp_path / 'given' / 'rgb' / '1.txt').write_text('2 0.5 1 2 10 8\n2 0.4 20 1 30 9\n0 0.3 90 1 99 5\n')
    (tmp_path / 'given' / 't' / '1.txt').write_text('0 0.6 1 2 11 7\n0 0.6 1 1 1 7\n')
    (tmp_path / 'given' / 'rgb' / 'x.txt').write_text('2 0.5 1 2 10 8\n')
    for source, kind, out in (('given', 'coco', 'a.json'), ('a.json', 'fairmot', 'b'), ('b', 'yolov5', 'c'),
                              ('c', 'coco', 'd.json')):
        assert run('--pairs', folder, '--convert', tmp_path / source, '--format', kind, '--out', tmp_path / out) == 0
    assert ('boxes: 3 of 1 pairs, 1 without an area dropped, 1 outside their images dropped, 1 images named that are '
            f'no pair here: {tmp_path / "a.json"}') in capsys.readouterr().out
    first, last = ((tmp_path / name).read_text() for name in ('a.json', 'd.json'))
    assert first.replace('boxes of given', 'boxes of c') == last
    # The TIR half of the joined canvas begins at the width of the RGB half, 24 px.
    assert (tmp_path / 'b' / '1.txt').read_text() == '1 2 10 8 0.5 car\n20 1 24 8 0.4 car\n25 2 35 7 0.6 tperson\n'
    assert (tmp_path / 'c' / 't' / '1.txt').read_text() == '0 0.6 1 2 11 7\n'


def test_options_that_do_not_fit(folder, tmp_path, model):
    boxes = tmp_path / 'b.txt'
    boxes.write_text('0 0.5 100 2 110 8\n')
    with pytest.raises(UserError, match='--convert runs no detector'):
        run('--pairs', folder, '--convert', boxes, '--model', model)
    with pytest.raises(UserError, match='--convert needs --out'):
        run('--pairs', folder, '--convert', boxes)
    with pytest.raises(UserError, match='--out is the place that the boxes are read from'):
        run('--pairs', folder, '--convert', boxes, '--out', boxes)
    with pytest.raises(UserError, match='detections are written as COCO JSON'):
        run('--pairs', folder, '--model', model, '--format', 'yolov5')
    with pytest.raises(UserError, match='no such folder or list of pairs'):
        run('--pairs', tmp_path / 'none', '--model', model)
    (tmp_path / '1.txt').write_text('0 0.5 100 2 110 8\n')
    with pytest.raises(UserError, match=r'all 1 boxes in .*1\.txt are outside their images'):
        run('--pairs', folder, '--convert', tmp_path / '1.txt', '--out', tmp_path / 'o.json')
    for score in ('0', '1.5', 'x'):
        with pytest.raises(SystemExit):
            run('--pairs', folder, '--model', model, '--score', score)
