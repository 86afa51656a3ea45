"""A real detector on real pairs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cmd_plugin.data import PairedDataset, PairedSampler, cross_modal_processing, make_pseudo_box
from cmd_plugin.data.box_files import read_boxes
from cmd_plugin.detect.detecting import detect_pairs
from cmd_plugin.detect.yolo import YoloDetector

PICKED = ('roadscene', 'm3svd', 'msrs')
EACH = 4


@pytest.fixture(scope='module')
def detector(shared_data) -> YoloDetector:
    path = shared_data / 'weights' / 'yolox_nano_coco.onnx'
    if not path.is_file():
        pytest.skip(f'no detector in {path}')
    return YoloDetector(path)


@pytest.fixture(scope='module')
def some_pairs(shared_data, tmp_path_factory) -> Path:
    """A list of four pairs of each of three sets."""
    lines = []
    for name in PICKED:
        folder = shared_data / 'pairs' / name
        names = sorted(path.name for path in (folder / 'visible').iterdir())
        step = max(1, len(names) // EACH)
        lines += [f'{folder / "visible" / file},{folder / "infrared" / file}' for file in names[::step][:EACH]]
    path = tmp_path_factory.mktemp('real') / 'some.csv'
    path.write_text('\n'.join(lines))
    return path


def test_it_finds_the_traffic_and_the_people(detector, some_pairs, tmp_path):
    dataset = PairedDataset(some_pairs)
    out, again = tmp_path / 'boxes.json', tmp_path / 'again.json'
    detect_pairs(dataset, some_pairs, detector, out, frozenset(detector.names), 0.3)
    detect_pairs(dataset, some_pairs, detector, again, frozenset(detector.names), 0.3)
    assert out.read_bytes() == again.read_bytes()
    (found,) = read_boxes(out)
    labels = Counter(box.label for record in found.records for box in record.boxes)
    assert labels['car'] >= 10 and labels['person'] >= 3
    assert (labels['car'] + labels['person']) / labels.total() > 0.6
    for record in found.records:
        height, width = record.size
        for box in record.boxes:
            assert 0 <= box.x1 < box.x2 <= width and 0 <= box.y1 < box.y2 <= height and 0.3 <= box.score <= 1
    box = make_pseudo_box('detection', None, out)
    sampler = PairedSampler(dataset, box, 20, cross_modal_processing(96, 6))
    np.random.seed(0)
    assert all((sampler[number]['train_anno'][..., 2:] > 1).all() for number in range(20))
