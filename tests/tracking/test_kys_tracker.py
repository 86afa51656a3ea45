"""The KYS tracker: DiMP where nothing is fused, states from frame to frame where it is, on a generated sequence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ltr.admin import plugins
from ltr.admin.errors import UserError
from ltr.admin.loading import load_network
from ltr.models.tracking.dimpnet import dimpnet_small
from ltr.models.tracking.kysnet import kysnet_small
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.kys import kys_small
from pytracking.tracker.dimp import DiMP
from pytracking.tracker.dimp.defaults import dimp_params
from pytracking.tracker.kys import KYS, get_tracker_class
from pytracking.tracker.kys.defaults import kys_params
from tests.parity.named_weights import fill

OWN = 'response_predictor.'


@pytest.fixture(scope='module')
def net() -> nn.Module:
    torch.manual_seed(0)
    made = fill(kysnet_small())
    torch.manual_seed(0)
    made.response_predictor.load_state_dict(kysnet_small().response_predictor.state_dict())
    return made


def track(cls, net: nn.Module, images, first, **changes) -> tuple[list[dict], DiMP]:
    params = kys_small.parameters() if cls is KYS else dimp_params(144)
    # The thresholds are made for trained networks.
    for name, value in {'use_augmentation': False, 'target_not_found_threshold': -1, 'num_init_random_boxes': 0,
                        **changes}.items():
        setattr(params, name, value)
    params.net = NetWithBackbone(net, use_gpu=False)
    tracker = cls(params)
    tracker.initialize(images[0], {'init_bbox': list(first)})
    return [tracker.track(image) for image in images[1:]], tracker


@pytest.fixture(scope='module')
def sequence(world_video):
    """Six frames of the generated world, and the first box."""
    from pytracking import read_image
    folder = sorted(path for path in world_video.iterdir() if path.is_dir())[0]
    images = [read_image(path) for path in sorted((folder / 'img').iterdir())[:6]]
    text = (folder / 'groundtruth_rect.txt').read_text().splitlines()[0]
    return images, [float(value) for value in text.replace('\t', ',').split(',')]


def test_with_the_fusion_off_it_is_dimp(net, sequence):
    torch.manual_seed(0)
    dimp = dimpnet_small()
    dimp.load_state_dict({key: value for key, value in net.state_dict().items() if not key.startswith(OWN)})
    steps = {'box_refinement_step_length': 1}
    ours, tracker = track(KYS, net, *sequence, fuse_response=False, **steps)
    theirs, _ = track(DiMP, dimp, *sequence, **steps)
    assert tracker.scene is None
    for a, b in zip(ours, theirs, strict=True):
        assert a['target_bbox'] == b['target_bbox'] and a['flag'] == b['flag']
        assert np.array_equal(a['score_map'], b['score_map'])


def test_a_sequence_is_tracked_on_the_fused_response(net, sequence, monkeypatch):
    seen = []
    step = type(net).step

    def spy(self, scene, features, appearance):
        response, after = step(self, scene, features, appearance)
        seen.append((scene, appearance, response, after))
        return response, after
    monkeypatch.setattr(type(net), 'step', spy)
    outputs, tracker = track(KYS, net, *sequence)
    assert len(seen) == len(outputs) == 5 and tracker.scene is seen[-1][3]
    for index, (output, (before, appearance, response, after)) in enumerate(zip(outputs, seen, strict=True)):
        assert index == 0 or before is seen[index - 1][3], 'the states of the frame before'
        assert output['score_map'].shape == appearance.shape[1:] == (10, 10)
        np.testing.assert_array_equal(output['score_map'], response.fused[0].numpy())
        assert output['confidence'] == pytest.approx(response.fused.max().item())
        assert after.states.abs().max() <= 1 and np.isfinite(output['target_bbox']).all()
    boxes = np.array([output['target_bbox'] for output in outputs])
    assert (boxes[:, 2:] > 0).all() and np.abs(boxes - sequence[1]).max() > 0


def test_the_same_run_twice_and_another_target_in_between(net, sequence):
    images, box = sequence
    first, tracker = track(KYS, net, images[:4], box)
    tracker.initialize(images[0], {'init_bbox': [10, 10, 30, 30]})
    tracker.track(images[1])
    tracker.rng = np.random.default_rng(0)
    tracker.initialize(images[0], {'init_bbox': box})
    again = [tracker.track(image) for image in images[1:4]]
    assert [output['target_bbox'] for output in first] == [output['target_bbox'] for output in again]


def test_an_untrained_response_finds_the_target_where_dimp_does(net, sequence):
    options = {'use_iou_net': False, 'update_classifier': False, 'advanced_localization': False}
    fused, _ = track(KYS, net, *sequence, **options)
    plain, _ = track(KYS, net, *sequence, fuse_response=False, **options)
    for a, b in zip(fused, plain, strict=True):
        assert b['score_map'].max() > 0.05, 'else everything is masked'
        assert a['target_bbox'] == pytest.approx(b['target_bbox'])


def test_parameters():
    package = plugins.load('pytracking.parameters', 'kys').__name__
    default = __import__(f'{package}.default', fromlist=['parameters']).parameters()
    assert default.net.net_path == 'kys.pth.tar' and default.fuse_response is True
    own = {key: value for key, value in vars(kys_params()).items() if key != 'fuse_response'}
    assert own == vars(dimp_params()), 'the rest is as in dimp50'
    small = kys_small.parameters()
    assert (small.image_sample_size, small.net.net_path) == (144, 'kys_small.pth.tar')
    assert plugins.load('pytracking.trackers', 'kys')() is get_tracker_class() is KYS


def test_a_network_without_a_response_predictor_is_refused(sequence):
    images, box = sequence
    with pytest.raises(UserError, match='no response predictor'):
        track(KYS, dimpnet_small(), images[:2], box)
    track(KYS, dimpnet_small(), images[:2], box, fuse_response=False)


def test_several_scales_are_refused(net, sequence):
    images, box = sequence
    with pytest.raises(UserError, match='one crop a frame'):
        track(KYS, net, images[:2], box, scale_factors=[0.9, 1.0])
    track(KYS, net, images[:2], box, scale_factors=[0.9, 1.0], fuse_response=False)


def test_a_checkpoint_tracks_alike(tmp_path, net, sequence):
    images, box = sequence
    path = tmp_path / 'kys.pth.tar'
    torch.save({'net': net.state_dict(), 'constructor': net.constructor, 'net_type': 'KYSnet', 'epoch': 1}, path)
    again, _ = load_network(path)
    a, b = (track(KYS, x, images[:4], box)[0] for x in (net, again))
    assert [output['target_bbox'] for output in a] == [output['target_bbox'] for output in b]
