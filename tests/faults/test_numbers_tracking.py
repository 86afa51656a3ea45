"""Frames and numbers that say nothing: trackers go on, and say how often."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltr.models.bbreg.atom import atom_small
from ltr.models.tracking.dimpnet import dimpnet_small
from pytracking.evaluation import Tracker, get_dataset
from pytracking.evaluation.running import run_dataset
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.atom import atom_small as atom_parameters
from pytracking.parameter.dimp import dimp_small as dimp_parameters
from pytracking.tracker.atom import ATOM
from pytracking.tracker.common.localization import blind
from pytracking.tracker.common.refinement import best_box
from pytracking.tracker.dimp import DiMP
from pytracking.utils.params import TrackerParams
from tests.evaluation.conftest import box_path, write_sequence
from tests.evaluation.test_atom_tracker import video

KINDS = {'dimp': (DiMP, dimp_parameters, dimpnet_small), 'atom': (ATOM, atom_parameters, atom_small)}
EMPTY = {'black': np.zeros((120, 160, 3), np.uint8), 'white': np.full((120, 160, 3), 255, np.uint8),
         'constant': np.full((120, 160, 3), 77, np.uint8)}


@pytest.fixture(scope='module')
def nets():
    torch.manual_seed(0)
    return {name: make().eval() for name, (_, _, make) in KINDS.items()}


@pytest.fixture(params=list(KINDS))
def tracker(request, nets):
    made, parameters, _ = KINDS[request.param]
    params = parameters.parameters()
    params.net = NetWithBackbone(nets[request.param], use_gpu=False)
    return made(params)


def tracked(tracker, frames, box) -> np.ndarray:
    tracker.initialize(frames[0], {'init_bbox': list(box)})
    return np.array([tracker.track(frame)['target_bbox'] for frame in frames[1:]])


def sensible(boxes: np.ndarray, width: int = 160, height: int = 120) -> bool:
    """Finite boxes with a size, which meet the image."""
    return bool(np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all() and (boxes[:, :2] < (width, height)).all()
                and (boxes[:, :2] + boxes[:, 2:] > 0).all())


@pytest.mark.parametrize('kind', list(EMPTY))
def test_a_frame_without_anything_does_not_break_tracking(tracker, kind):
    frames, boxes = video(6, step=0)
    frames[2:4] = [EMPTY[kind]] * 2
    found = tracked(tracker, frames, boxes[0])
    assert sensible(found)
    ended = [tracker.track(frame)['target_bbox'] for frame in frames[4:] * 2]
    assert sensible(np.array(ended))


@pytest.mark.parametrize('kind', list(EMPTY))
def test_a_first_frame_without_anything(tracker, kind):
    frames, boxes = video(4, step=0)
    assert sensible(tracked(tracker, [EMPTY[kind], EMPTY[kind], *frames[1:]], boxes[0]))


@pytest.mark.parametrize('box', [(80, 60, 1, 1), (0, 0, 160, 120), (0, 0, 1, 120), (159, 119, 1, 1),
                                 (-40, -30, 300, 200)])
def test_targets_of_one_pixel_and_of_the_whole_image(tracker, box):
    assert sensible(tracked(tracker, video(4, step=0)[0], box))


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_scores_that_are_not_finite_do_not_move_the_box(tracker, value):
    frames, boxes = video(6, step=0)
    tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    before = tracker.track(frames[1])['target_bbox']
    scores = tracker._scores

    def broken(features):
        maps = np.array(scores(features))
        maps[..., 3, 4] = value
        return maps
    tracker._scores = broken
    out = tracker.track(frames[2])
    assert out['flag'] == 'not_found' and np.isnan(out['confidence']) and out['target_bbox'] == before
    del tracker._scores
    assert tracker.track(frames[3])['confidence'] > -np.inf
    assert sensible(np.array([tracker.track(frames[4])['target_bbox']]))


def test_finite_scores_are_not_blind():
    assert blind(np.zeros((1, 3, 3))) is None and blind(np.full((1, 2, 2), -1e30)) is None


def test_boxes_that_are_not_finite_are_not_averaged():
    params = TrackerParams()
    boxes, good = np.array([[np.inf, 1, 4, 4], [1, np.nan, 4, 4], [1.0, 2, 4, 5]]), [1, 2, 4, 5]
    assert best_box(boxes, np.array([9.0, 8, 0.1]), params).tolist() == good
    assert best_box(boxes[:2], np.array([9.0, 8]), params) is None


def test_blind_frames_are_counted(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tests=tests.evaluation.dummy_plugin')
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    write_sequence(tmp_path / 'data' / 'a', box_path(4))
    from tests.evaluation.dummy_plugin import DummyTracker
    track = DummyTracker.track

    def sometimes(self, image, info):
        self.number = getattr(self, 'number', 1) + 1
        return {**track(self, image, info), 'confidence': float('nan') if self.number < 4 else 0.5}
    monkeypatch.setattr(DummyTracker, 'track', sometimes)
    report = run_dataset(get_dataset('folder', root=tmp_path / 'data'), [Tracker('dummy', 'default')])
    note = '2 frames with scores that are not finite, taken for frames without the target'
    assert report.outcomes[0].message == note and note in capsys.readouterr().out
