"""Networks of the YOLO family: known by their shape, decoded by their grid, refused where they are none."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_onnx import classifier, constant_detector, model, node

from cmd_plugin.data.coco_names import COCO_NAMES
from cmd_plugin.detect import onnx_net
from cmd_plugin.detect.onnx_file import read_head
from cmd_plugin.detect.yolo import YoloDetector, letterbox
from cmd_plugin.detect.yolo_output import Family, decode, recognise
from cmd_plugin.errors import UserError

THREE = (8, 16, 32)
# Cells of a 64 x 64 input: 64 of stride 8, 16 of stride 16, 4 of stride 32.
CELLS = 84
IMAGE = np.full((32, 64, 3), 100, np.uint8)


@pytest.fixture
def onnx(tmp_path):
    def make(data: bytes, name: str = 'model.onnx'):
        path = tmp_path / name
        path.write_bytes(data)
        return path
    return make


@pytest.mark.parametrize(('shape', 'side', 'family'), [
    ((1, 3549, 85), 416, Family('yolox', 80, THREE)),          # YOLOX-nano, -tiny
    ((1, 8400, 85), 640, Family('yolox', 80, THREE)),          # YOLOX-s and larger
    ((1, 25200, 85), 640, Family('yolov5', 80, THREE)),        # YOLOv5n..x, YOLOv7
    ((1, 102000, 85), 1280, Family('yolov5', 80, (*THREE, 64))),  # YOLOv5n6..x6
    ((1, 84, 8400), 640, Family('yolov8', 80, THREE)),         # YOLOv8, YOLO11
    ((1, 5, 8400), 640, Family('yolov8', 1, THREE)),           # one class
    ((1, 1000), 224, None), ((1, 3, 80, 80, 85), 640, None), ((1, 300, 6), 640, None), ((1, 8400, 5), 640, None),
    ((2, 8400, 85), 640, None), ((1, 8401, 85), 640, None), ((1, 84, 8399), 640, None),
])
def test_published_shapes_are_recognised(shape, side, family):
    assert recognise(shape, (side, side)) == family


def yolox(cell: int, values: tuple[float, ...], classes: int = 2) -> np.ndarray:
    output = np.zeros((1, CELLS, 5 + classes), np.float32)
    output[0, cell, :len(values)] = values
    return output


def test_yolox_cells_are_decoded_by_hand():
    # Cell 64 + 16 + 3 is row 1, column 1 of stride 32; cell 64 + 6 is row 1, column 2 of stride 16.
    output = yolox(83, (0.5, 0.25, np.log(2), np.log(0.5), 0.8, 0.1, 0.5))
    output[0, 70] = (-0.5, 0.5, 0, 0, 0.5, 0.4, 0)
    boxes, scores = decode(output, recognise(output.shape, (64, 64)), (64, 64))
    np.testing.assert_allclose(boxes[83], (48 - 32, 40 - 8, 48 + 32, 40 + 8), rtol=1e-6)
    np.testing.assert_allclose(boxes[70], (24 - 8, 24 - 8, 24 + 8, 24 + 8), rtol=1e-6)
    np.testing.assert_allclose(scores[[83, 70]], [(0.08, 0.4), (0.2, 0)], rtol=1e-6)


def test_yolox_on_an_input_that_is_no_square():
    # 32 high, 64 wide: 4 x 8 cells of stride 8; cell 9 is row 1, column 1.
    output = np.zeros((1, 32 + 8 + 2, 7), np.float32)
    boxes, _ = decode(output, recognise(output.shape, (32, 64)), (32, 64))
    np.testing.assert_allclose(boxes[9], (4, 4, 12, 12))


def test_decoded_yolox_is_known_by_its_values():
    output = yolox(0, ())
    output[0, :, :4] = (40, 30, 20, 10)
    boxes, _ = decode(output, recognise(output.shape, (64, 64)), (64, 64))
    np.testing.assert_allclose(boxes, np.tile((30, 25, 50, 35), (CELLS, 1)))


def test_v5_and_v8_agree_on_the_same_boxes():
    rows = np.random.default_rng(0).uniform(0, 60, (CELLS, 6)).astype(np.float32)
    v8 = decode(rows.T[None], Family('yolov8', 2, THREE), (64, 64))
    v5 = decode(np.insert(rows, 4, 1, axis=1)[None], Family('yolov5', 2, THREE), (64, 64))
    for one, other in zip(v5, v8, strict=True):
        np.testing.assert_allclose(one, other)


def test_letterbox_values_and_scale():
    image = np.zeros((10, 20, 3), np.uint8)
    image[..., 0], image[..., 2] = 255, 51
    bgr, scale = letterbox(image, (40, 40), True)
    assert scale == 2 and bgr.shape == (1, 3, 40, 40) and bgr.dtype == np.float32
    assert bgr[0, :, 0, 0].tolist() == [51, 0, 255] and bgr[0, :, 19, 39].tolist() == [51, 0, 255]
    assert (bgr[0, :, 20:] == 114).all()
    rgb, _ = letterbox(image, (40, 40), False)
    np.testing.assert_allclose(rgb[0, :, 5, 5], (1, 0, 0.2))


def test_a_whole_network_finds_the_box_in_image_pixels(onnx):
    # The image of 64 x 32 needs no scaling; the second box overlaps the first and is of its class: suppressed.
    output = yolox(83, (0.5, 0.25, np.log(2), np.log(0.5), 0.8, 0.1, 0.9))
    output[0, 82] = (1.5, 0.25, np.log(2), np.log(0.5), 0.8, 0.1, 0.8)
    detector = YoloDetector(onnx(constant_detector(output)), ('car', 'person'))
    found = detector(np.full((16, 32, 3), 9, np.uint8), 0.3)
    assert found.labels == ['person']
    np.testing.assert_allclose(found.boxes, [(8, 16, 40, 24)], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.72], rtol=1e-5)
    assert detector.source.startswith('yolox model.onnx sha256:')
    assert detector(IMAGE, 0.73).labels == []


def test_classes_do_not_suppress_each_other(onnx):
    output = yolox(83, (0, 0, 0, 0, 0.8, 0.1, 0.9))
    output[0, 82] = (1, 0, 0, 0, 0.8, 0.9, 0.2)
    found = YoloDetector(onnx(constant_detector(output)), ('car', 'person'))(IMAGE, 0.3)
    assert sorted(found.labels) == ['car', 'person']


def test_each_family_gets_the_values_that_it_was_trained_on(onnx):
    """The last value of the output is the mean of the input: 114 of 0..255, or 114 / 255 of 0..1."""
    image = np.full((64, 64, 3), 114, np.uint8)
    raw = YoloDetector(onnx(constant_detector(yolox(83, (0, 0, 0, 0, 1)), tells_mean=True)), ('a', 'b'))
    assert raw(image, 0.3).scores.tolist() == pytest.approx([114])
    v8 = YoloDetector(onnx(constant_detector(np.zeros((1, 6, CELLS)), tells_mean=True)), ('a', 'b'))
    assert v8(image, 0.3).scores.tolist() == pytest.approx([114 / 255], rel=1e-4)


def test_names_from_the_file_or_coco_or_the_user(onnx):
    names = {'names': "{1: 'drone', 0: 'bird'}"}
    assert YoloDetector(onnx(constant_detector(np.zeros((1, 6, CELLS)), metadata=names))).names == ('bird', 'drone')
    assert YoloDetector(onnx(constant_detector(np.zeros((1, 84, 189)), side=96))).names == COCO_NAMES
    path = onnx(constant_detector(np.zeros((1, 6, CELLS))))
    with pytest.raises(UserError, match=r'model\.onnx knows 2 classes and does not name them: give --names FILE'):
        YoloDetector(path)
    with pytest.raises(UserError, match='knows 2 classes, but 3 names are given'):
        YoloDetector(path, ('a', 'b', 'c'))
    assert YoloDetector(path, ('a', 'b')).names == ('a', 'b')


def test_a_network_that_is_no_detector(onnx):
    with pytest.raises(UserError, match=r'detector file of another model: .*model\.onnx gives 1 x 3 x 1 x 1 for an '
                                        r'input of 64 x 64 px; known are YOLOX'):
        YoloDetector(onnx(classifier()))


@pytest.mark.parametrize('shape', [(1, 10), (1, 1, 28, 28), (8, 3, 64, 64), ('batch', 4, 64, 64)])
def test_a_network_that_takes_no_image(onnx, shape):
    data = model([node('Relu', ['x'], 'y')], shape, shape)
    with pytest.raises(UserError, match=r'detector file of another model: .* takes x .*, expected one image'):
        YoloDetector(onnx(data))


@pytest.mark.parametrize('data', [b'', b'hello', b'PK\x03\x04' + bytes(99), classifier()[:-20], b'\x08\x01', b'\xff'])
def test_not_an_onnx_file(onnx, data):
    with pytest.raises(UserError, match=r'model\.onnx is not an ONNX file'):
        YoloDetector(onnx(data))


def test_no_such_detector_file(tmp_path):
    with pytest.raises(UserError, match=r'cannot read detector .*none\.onnx: No such file'):
        YoloDetector(tmp_path / 'none.onnx')


def test_an_operator_that_opencv_lacks_names_the_extra(onnx, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(UserError, match=r'of operators that OpenCV lacks: .*; onnxruntime knows more: pip install'):
        YoloDetector(onnx(model([node('NoSuchOperator', ['x'], 'y')], (1, 3, 64, 64), (1, 84, 84))))
    assert capfd.readouterr().err == ''


def test_onnxruntime_gives_what_opencv_gives(onnx, monkeypatch):
    pytest.importorskip('onnxruntime')
    path = onnx(constant_detector(yolox(83, (0, 0, 0, 0, 0.8, 0.1, 0.9))))
    one = YoloDetector(path, ('car', 'person'))
    monkeypatch.setattr(onnx_net, '_opencv', lambda data: cv2.dnn.readNetFromONNX(np.zeros(3, np.uint8)))
    other = YoloDetector(path, ('car', 'person'))
    assert (one.runs_by, other.runs_by) == ('OpenCV', 'onnxruntime')
    np.testing.assert_allclose(one(IMAGE, 0.3).boxes, other(IMAGE, 0.3).boxes, rtol=1e-5)
    with pytest.raises(UserError, match=r'detector file of another model: .*model\.onnx does not run on images'):
        YoloDetector(onnx(model([node('NoSuchOperator', ['x'], 'y')], (1, 3, 64, 64), (1, 84, 84))))


def test_values_that_are_not_finite(onnx):
    detector = YoloDetector(onnx(constant_detector(np.full((1, 6, CELLS), np.nan))), ('a', 'b'))
    with pytest.raises(UserError, match='not finite'):
        detector(IMAGE, 0.3)


def test_the_head_of_a_file():
    data = model([node('Relu', ['x'], 'y')], ('batch', 3, 'height', 320), (1, 300, 6), metadata={'a': 'b'})
    head = read_head(Path('p'), data)
    assert head.inputs == {'x': (0, 3, 0, 320)} and head.outputs == {'y': (1, 300, 6)} and head.metadata == {'a': 'b'}
    assert head.class_names() == ()
