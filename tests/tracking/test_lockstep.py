"""Trackers in lock-step have the boxes that they have alone, and share the work of the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltr.models.bbreg.atom import atom_small
from ltr.models.tracking.dimpnet import klcedimpnet_small
from ltr.models.tracking.kysnet import kysnet_small
from ltr.models.tracking.tompnet import tompnet_small
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.speed import Speed
from pytracking.parameter.kys import kys_small
from pytracking.tracker.atom import ATOM
from pytracking.tracker.atom.defaults import atom_params
from pytracking.tracker.base.steps import advance
from pytracking.tracker.common import climber
from pytracking.tracker.common.climber import Climber
from pytracking.tracker.dimp.kl_defaults import prdimp_params
from pytracking.tracker.kys import KYS
from pytracking.tracker.tomp import ToMP
from pytracking.tracker.tomp.defaults import tomp_params
from tests.tracking.conftest import small_net, small_tracker, video

WHOLE_MAPS = Speed('whole maps')
"""As on a GPU: box refinement of several sequences is one piece."""


def compared(make, lengths=(6, 6, 4), atol=1e-2):
    """Boxes of trackers one by one, and of others in lock-step; the shortest video ends first."""
    videos = [video(length, seed) for seed, length in enumerate(lengths)]
    alone = []
    for frames, boxes in videos:
        tracker = make()
        tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
        alone.append([tracker.track(frame)['target_bbox'] for frame in frames[1:]])
    trackers = [make() for _ in videos]
    for tracker, (frames, boxes) in zip(trackers, videos, strict=True):
        tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    found = [[] for _ in videos]
    for number in range(1, max(lengths)):
        running = [i for i, (frames, _) in enumerate(videos) if number < len(frames)]
        outputs = advance([trackers[i].steps(videos[i][0][number]) for i in running])
        for i, output in zip(running, outputs, strict=True):
            assert isinstance(output, dict), output
            found[i].append(output['target_bbox'])
    for one, other in zip(alone, found, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)
    assert np.abs(np.diff([boxes[-1] for boxes in alone], axis=0)).max(axis=1).min() > 1, 'different videos'
    return trackers


@pytest.mark.parametrize('speed', ['exact', 'plain'])
@pytest.mark.parametrize('small', [0, climber.SMALL_MAP], ids=['windows', 'small maps'])
def test_dimp(wrapped, speed, small, monkeypatch):
    """The network sees all crops of a round at once, the IoU predictor too where that is one piece."""
    monkeypatch.setattr(climber, 'SMALL_MAP', small)
    net = wrapped('dimp', speed)
    batches, refined = [], []
    extract, climb = net.extract_backbone, Climber.climb
    monkeypatch.setattr(net, 'extract_backbone', lambda images: batches.append(len(images)) or extract(images))
    monkeypatch.setattr(Climber, 'climb', lambda self, inputs: refined.append(len(inputs)) or climb(self, inputs))
    compared(lambda: small_tracker(net, train_skipping=2))
    assert batches[-5:] == [3, 3, 3, 2, 2] and refined[-5:] == [3, 3, 3, 2, 2]


def test_dimp_with_frames_that_are_not_found(wrapped):
    """Some sequences skip refinement and update in some rounds."""
    net = wrapped('dimp', WHOLE_MAPS)
    probe = small_tracker(net)
    frames, boxes = video(6)
    probe.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    threshold = float(np.median([probe.track(frame)['confidence'] for frame in frames[1:]]))
    compared(lambda: small_tracker(net, target_not_found_threshold=threshold))


def test_prdimp_with_several_scales():
    """Density scores, relative refinement, three crops a frame."""
    torch.manual_seed(0)
    net = NetWithBackbone(klcedimpnet_small().eval(), use_gpu=False)

    def make():
        params = prdimp_params()
        params.image_sample_size = 144
        return small_tracker(net, params=params, scale_factors=[0.9, 1.0, 1.1])
    compared(make)


def test_atom():
    """By inheritance: the projection is each tracker's own."""
    torch.manual_seed(0)
    net = NetWithBackbone(atom_small().eval(), use_gpu=False)

    def make():
        params = atom_params(sample_size=144)
        params.output_sigma_factor = 1 / 2
        return small_tracker(net, ATOM, params)
    compared(make)


def test_kys():
    """States of the scene are each tracker's own, so responses are fused one by one."""
    torch.manual_seed(0)
    net = NetWithBackbone(kysnet_small().eval(), use_gpu=False)
    trackers = compared(lambda: small_tracker(net, KYS, kys_small.parameters()))
    assert trackers[0].scene is not trackers[1].scene is not None


def test_tomp():
    """Only the backbone is shared: the rest is done anew in every frame."""
    torch.manual_seed(0)
    net = NetWithBackbone(tompnet_small().eval(), use_gpu=False)

    def make():
        params = tomp_params(144)
        params.net, params.target_not_found_threshold = net, -1e9
        return ToMP(params)
    compared(make, (4, 4, 3))


def test_different_networks_and_parameters_stay_apart(wrapped):
    net, other = wrapped('dimp', WHOLE_MAPS), NetWithBackbone(small_net(), use_gpu=False, speed=WHOLE_MAPS)
    trackers = compared(lambda: small_tracker(net))
    frames, boxes = video(2)
    strangers = [small_tracker(other), small_tracker(net, box_refinement_iter=2), small_tracker(net, seed=3)]
    for tracker in strangers:
        tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    assert strangers[0].company != trackers[0].company != strangers[1].company
    assert strangers[2].company == trackers[0].company == trackers[1].company
