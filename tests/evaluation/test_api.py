"""A tracker in a program: `build_tracker`, and the example of the README."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import textwrap

import cv2
import numpy as np
import pytest
import torch

import pytracking
from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.models.tracking.dimpnet import dimpnet18
from pytracking import build_tracker
from tests.evaluation.conftest import REPO
from tests.evaluation.trouble import PLUGIN

IMAGE = np.random.default_rng(0).integers(0, 255, (24, 40, 3), dtype=np.uint8)
BOX = {'init_bbox': [5, 6, 8, 9]}


def test_frames_in_boxes_out():
    tracker = build_tracker('dummy', 'moving')
    first = tracker.initialize(IMAGE, BOX)
    assert first['target_bbox'] == [5, 6, 8, 9] and math.isnan(first['confidence']) and first['time'] >= 0
    assert [tracker.track(IMAGE)['target_bbox'][:2] for _ in range(2)] == [[5.5, 6.5], [6, 7]]
    assert math.isnan(tracker.track(IMAGE)['confidence'])  # the dummy has none
    assert tracker.initialize(IMAGE, {'init_bbox': np.array([1, 2, 3, 4])})['target_bbox'] == [1, 2, 3, 4]
    assert tracker.track(IMAGE)['target_bbox'] == [1.5, 2.5, 3, 4]


def test_a_plugin_s_tracker_and_the_default_parameters(monkeypatch):
    monkeypatch.setenv('PYTRACKING_PLUGINS', PLUGIN)
    tracker = build_tracker('trouble')
    tracker.initialize(IMAGE, BOX)
    out = tracker.track(IMAGE)
    assert out['confidence'] == 0.75 and out['score_map'].shape == (5, 7)


def test_the_tracker_is_told_what_it_returned(monkeypatch):
    from tests.evaluation.dummy_plugin import DummyTracker
    told = []

    def track(self, image, info):
        told.append(info)
        return {'target_bbox': [len(told), 1, 1, 1], 'own': len(told)}

    monkeypatch.setattr(DummyTracker, 'track', track)
    tracker = build_tracker('dummy', 'moving')
    tracker.initialize(IMAGE, BOX)
    tracker.track(IMAGE)
    assert tracker.track(IMAGE, {'more': 3})['own'] == 2
    assert told[0] == {'previous_output': {}}
    assert told[1] == {'previous_output': {'target_bbox': [1, 1, 1, 1], 'own': 1}, 'more': 3}


def test_grey_and_16_bit_frames():
    tracker = build_tracker('dummy', 'moving')  # checks that it is given 8-bit RGB
    tracker.initialize(IMAGE[..., 0], BOX)
    tracker.track(IMAGE[..., 0].astype(np.uint16) * 50)


@pytest.mark.parametrize(('call', 'message'), [
    (lambda: build_tracker('dumy'), "unknown tracker 'dumy': did you mean 'dummy'"),
    (lambda: build_tracker('dummy', 'movin'), "did you mean 'moving'"),
    (lambda: build_tracker('dummy', 'absent'), "network 'absent.pth.tar' not found; looked for"),
    (lambda: build_tracker('dummy').track(IMAGE), 'no target yet'),
    (lambda: build_tracker('dummy').initialize(IMAGE, {}), 'is told its target by'),
    (lambda: build_tracker('dummy').initialize(IMAGE, {'init_bbox': [1, 2, 3]}), 'x, y, w, h, got 3 numbers'),
    (lambda: build_tracker('dummy').initialize(IMAGE, {'init_bbox': [50, 2, 3, 3]}), 'outside the image of 40 x 24'),
    (lambda: build_tracker('dummy').initialize(IMAGE, {'init_bbox': [5, 2, math.nan, 3]}), 'give another box'),
    (lambda: build_tracker('dummy').initialize(cv2.imread('absent.png'), BOX), 'first frame is NoneType'),
    (lambda: build_tracker('dummy').initialize(IMAGE / 255, BOX), 'float64 numbers'),
])
def test_mistakes(call, message):
    with pytest.raises(UserError, match=message):
        call()


def test_importing_costs_nothing():
    code = 'import sys, pytracking; print(sorted({"torch", "cv2", "numpy", "ltr.tensors"} & set(sys.modules)))'
    out = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == '[]'
    assert {'build_tracker', 'TensorDict', 'TensorList'} <= set(dir(pytracking))
    from ltr.tensors import TensorDict
    assert pytracking.TensorDict is TensorDict
    with pytest.raises(AttributeError, match='no attribute'):
        _ = pytracking.absent


def test_the_example_of_the_readme(tmp_path, clean_environment, monkeypatch, capsys):
    """As it stands, with a DiMP-18 of random weights in the workspace, and two images."""
    text = (REPO / 'README.md').read_text(encoding='utf-8')
    block, = (found for found in re.findall(r'(?:^    .*\n)+', text, re.MULTILINE) if 'build_tracker' in found)
    code = textwrap.dedent(block)
    assert len(code.splitlines()) == 5
    torch.manual_seed(0)
    net = dimpnet18(backbone_pretrained=False)
    path = clean_environment / 'networks' / 'dimp18.pth.tar'
    path.parent.mkdir(parents=True)
    checkpoint.save(path, {'net_type': 'DiMPnet', 'net': net.state_dict(), 'constructor': net.constructor})
    for name in ('0001.jpg', '0002.jpg'):
        assert cv2.imwrite(str(tmp_path / name), np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, 'README.md', 'exec'), names)
    out = names['out']
    assert len(out['target_bbox']) == 4 and math.isfinite(out['confidence'])
    assert out['confidence'] == pytest.approx(float(out['score_map'].max()))
    assert len(out['search_area']) == 4 and out['search_area'][2] > 0
    assert str(out['target_bbox'][0])[:4] in capsys.readouterr().out
