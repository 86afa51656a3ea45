"""Presets of speed: who may choose which, that they give the same boxes, and where the host waits for the device."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

import pytracking
from ltr.admin import checkpoint
from ltr.admin.errors import UserError
from ltr.models.tracking.dimpnet import dimpnet_small, klcedimpnet_small
from pytracking.evaluation import Tracker
from pytracking.features import graphs
from pytracking.features.graphs import Recording
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.speed import PRESETS, Speed
from pytracking.parameter.dimp import dimp_small
from pytracking.run_tracker import main
from pytracking.tracker.base.steps import advance
from pytracking.tracker.common import climber
from pytracking.tracker.dimp import DiMP, dimp
from pytracking.tracker.dimp.kl_defaults import prdimp_params
from pytracking.utils.waits import count_waits
from tests.tracking.conftest import small_net, small_tracker, video

WAITS = {'cpu': 2}
"""A tracked frame: the score map, on which the host decides, and the refined boxes. The same for any number of
sequences in lock-step."""


def boxes_of(net: NetWithBackbone, length: int = 6, **changes) -> np.ndarray:
    tracker = small_tracker(net, **changes)
    frames, boxes = video(length)
    tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    return np.array([tracker.track(frame)['target_bbox'] for frame in frames[1:]])


@pytest.mark.parametrize('speed', ['exact', PRESETS['exact'], PRESETS['fast']], ids=['exact', 'exact on a GPU', 'fast'])
def test_boxes_of_plain(wrapped, speed):
    limit = 0.5 if getattr(speed, 'half', False) else 1e-2
    np.testing.assert_allclose(boxes_of(wrapped('dimp', speed)), boxes_of(wrapped('dimp', 'plain')), atol=limit)


def test_recordings_give_the_same_boxes(monkeypatch):
    """Work on fixed memory, as with CUDA graphs, by a stand-in that computes into it when it is replayed."""
    replayed = []

    def record(function, inputs):
        held, places = [one.clone() for one in inputs], [one.clone() for one in function(*inputs)]

        def replay():
            replayed.append(function)
            for place, one in zip(places, function(*held), strict=True):
                place.copy_(one)
        return Recording(replay, held, places)
    monkeypatch.setattr(graphs, 'record', record)
    net = small_net()
    speed = Speed('graph', graphs=True)
    found = [boxes_of(NetWithBackbone(net, use_gpu=False, speed=one), 7) for one in (speed, PRESETS['exact'])]
    np.testing.assert_allclose(*found, atol=1e-5)
    assert len(replayed) == 5 + 5 + 4, 'backbone and head of 7 frames, refinement of 6, from the third time on'


# --- choosing one ---

@pytest.fixture
def network(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tests=tests.evaluation.dummy_plugin')
    net = small_net()
    checkpoint.save(tmp_path / 'networks' / 'dimp_small.pth.tar',
                    {'net_type': 'DiMPnet', 'net': net.state_dict(), 'constructor': net.constructor})


def test_a_program_chooses(network, capsys):
    for name, expected in ((None, 'exact'), ('plain', 'plain'), ('exact', 'exact')):
        tracker = pytracking.build_tracker('dimp', 'dimp_small', speed=name)
        assert tracker._fresh.params.net.speed.name == expected
    assert not capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason='with a GPU there is something faster')
def test_what_a_cpu_does_not_have(network, capsys):
    pytracking.build_tracker('dimp', 'dimp_small', speed='fast')
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and '--speed fast is exact on cpu' in err
    with pytest.raises(UserError, match='--speed graph records CUDA graphs, which the device cpu does not have'):
        pytracking.build_tracker('dimp', 'dimp_small', speed='graph')


@pytest.mark.parametrize('start', [lambda: NetWithBackbone('x', speed='fats'),
                                   lambda: pytracking.build_tracker('dimp', 'dimp_small', speed='fats'),
                                   lambda: main(['dimp', 'dimp_small', '--data', 'x', '--speed', 'fats'])])
def test_an_unknown_preset(network, start):
    with pytest.raises(UserError, match=r"unknown speed 'fats': did you mean 'fast'.* known: plain, exact"):
        start()


def test_results_of_two_speeds_are_not_mixed(network, world_video, tmp_path):
    command = ['dimp', 'dimp_small', '--data', str(world_video), '--max-frames', '2', '--results', str(tmp_path)]
    assert main([*command, '--speed', 'plain']) == 0
    for other in ([], ['--speed', 'exact']):
        with pytest.raises(UserError, match='were made with --speed plain, now it is exact: use --speed plain'):
            main([*command, *other])
    assert main([*command, '--speed', 'plain']) == 0


def test_a_tracker_without_a_network(network):
    with pytest.raises(UserError, match='dummy/moving has no network whose speed can be chosen: leave out --speed'):
        Tracker('dummy', 'moving', speed='fast').get_parameters()
    with pytest.raises(UserError, match="unknown speed 'fats'"):
        Tracker('dummy', 'moving', speed='fats').get_parameters()
    assert Tracker('dummy', 'moving').get_parameters().step == 0.5


def test_after_loading_it_is_too_late(wrapped):
    net = NetWithBackbone(small_net(), use_gpu=False)
    net.choose('plain')
    net.initialize()
    with pytest.raises(UserError, match='loaded before its speed is chosen'):
        net.choose('exact')


# --- waiting ---

def test_the_counter_sees_what_waits():
    numbers = torch.tensor([1.0, 2.0])
    for wait, name in ((lambda: numbers[0].item(), 'aten::_local_scalar_dense'), (numbers.tolist, 'tolist'),
                       (lambda: bool(numbers.sum() > 0), 'aten::_local_scalar_dense'), (numbers.cpu, 'cpu'),
                       (lambda: numbers[numbers > 1], 'aten::index'), (lambda: numbers.nonzero(), 'aten::nonzero'),
                       (lambda: torch.where(numbers > 1, numbers, 0), 'aten::where'),
                       (lambda: numbers.to('cpu'), 'to'), (lambda: numbers.new_tensor([1]), 'new_tensor'),
                       (lambda: torch.tensor([1]), 'tensor'), (lambda: torch.as_tensor([1]), 'as_tensor')):
        with count_waits() as counted:
            wait()
        assert counted == {name: 1}
    with count_waits() as counted:
        numbers.to('cpu', non_blocking=True)
        numbers.to(torch.float64) + numbers[numbers.long() - 1] + torch.where(numbers > 1, numbers, -numbers)
        numbers.masked_fill(numbers > 1, 0)
    assert not counted


def assert_two_waits(tracker, length):
    """In every frame of a video but the first two."""
    frames, boxes = video(length)
    tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    tracker.track(frames[1])  # makes what is kept
    for frame in frames[2:]:
        with count_waits() as counted:
            tracker.track(frame)
        assert counted == WAITS


@pytest.mark.parametrize('speed', [PRESETS['exact'], PRESETS['fast']], ids=['exact', 'fast'])
def test_a_frame_waits_twice(wrapped, speed):
    """On a GPU, where all maps are whole; also frames in which the filter is updated."""
    tracker = small_tracker(wrapped('dimp', speed), train_skipping=2)
    assert_two_waits(tracker, 6)


def test_prdimp_and_steps_of_a_box_s_own_wait_for_no_more():
    torch.manual_seed(0)
    net = NetWithBackbone(klcedimpnet_small().eval(), use_gpu=False, speed=PRESETS['exact'])
    params = prdimp_params()
    params.image_sample_size = 144
    tracker = small_tracker(net, params=params, train_skipping=1, box_refinement_step_decay=0.9)
    tracker.own_steps = True
    assert_two_waits(tracker, 3)


def test_a_round_waits_twice(wrapped):
    trackers = [small_tracker(wrapped('dimp', PRESETS['exact'])) for _ in range(3)]
    frames, boxes = video(3)
    for tracker in trackers:
        tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    advance([tracker.steps(frames[1]) for tracker in trackers])
    for frame in frames[2:]:
        with count_waits() as counted:
            advance([tracker.steps(frame) for tracker in trackers])
        assert counted == WAITS


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('speed', ['exact', 'fast', 'graph'])
def test_a_gpu_tells_of_no_other_wait(speed, monkeypatch):
    """Torch itself raises at every synchronisation but those by `to_host`, of which there are two a frame."""
    waits = []

    def allowed(tensor):
        torch.cuda.set_sync_debug_mode('default')
        waits.append(tensor.cpu().numpy())
        torch.cuda.set_sync_debug_mode('error')
        return waits[-1]
    tracker = small_tracker(NetWithBackbone(small_net(), speed=speed), train_skipping=2)
    frames, boxes = video(9)
    tracker.initialize(frames[0], {'init_bbox': boxes[0].tolist()})
    for frame in frames[1:5]:
        tracker.track(frame)
    monkeypatch.setattr(climber, 'to_host', allowed)
    monkeypatch.setattr(dimp, 'to_host', allowed)
    torch.cuda.set_sync_debug_mode('error')
    try:
        for frame in frames[5:]:
            tracker.track(frame)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert len(waits) == 2 * 4


def test_a_network_goes_with_its_last_tracker():
    """What is known of a network must not keep it: a process may track with hundreds, one after another."""
    gone = []
    for seed in range(2):
        torch.manual_seed(seed)
        net = dimpnet_small().eval()
        gone.append(weakref.ref(net))
        params = dimp_small.parameters()
        params.net = NetWithBackbone(net, use_gpu=False)
        tracker = DiMP(params)
        image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
        tracker.initialize(image, {'init_bbox': [60.0, 50, 30, 30]})
        tracker.track(image)
        del net, params, tracker
    gc.collect()
    assert [one() for one in gone] == [None, None]
