"""CMD-ToMP through the command lines: the parent, two steps of a row, tracking; and against ToMP's own settings."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from cmd_plugin import checkpoints, networks
from cmd_plugin.data import cross_modal_processing
from cmd_plugin.errors import UserError
from cmd_plugin.families import FAMILIES
from cmd_plugin.recipes import recipe_of
from cmd_plugin.training import STRIDE
from cmd_plugin.upstream import reading
from ltr.data.processing import DiMPProcessing
from ltr.models.tracking.tompnet import tompnet_small
from ltr.tensors import TensorDict
from ltr.train_settings.tomp import _common, tomp18, tomp50, tomp_small
from pytracking.evaluation import Tracker, get_dataset
from tests.distilling.conftest import make, network_file, same, state_of

pytestmark = pytest.mark.usefixtures('no_settings')
FAMILY = FAMILIES['cmd_tomp']
SETTINGS = {'tomp50': tomp50, 'tomp18': tomp18, 'tomp_small': tomp_small}


def small(folder: Path) -> Path:
    torch.manual_seed(0)
    net = tompnet_small(channels=16, heads=2, encoder_layers=1, decoder_layers=1, feedforward=32, tower_layers=1)
    checkpoints.save(folder / 'tomp_small.pth.tar', net, {})
    return folder / 'tomp_small.pth.tar'


@pytest.fixture(scope='module')
def family(no_settings, tmp_path_factory, world_pairs) -> Path:
    """A workspace with the parent and with d2."""
    folder = tmp_path_factory.mktemp('cmd_tomp')
    make('a1', folder, 'cmd_tomp', init=small(folder))
    make('d2', folder, 'cmd_tomp', data=[world_pairs])
    return folder


def newest(folder: Path, name: str) -> Path:
    return sorted((folder / 'checkpoints/ltr/cmd_tomp' / name).glob('*.pth.tar'))[-1]


def test_d2_starts_from_the_parent_and_changes_the_reference_branch(family):
    parent, made = state_of(newest(family, 'a1')), state_of(newest(family, 'd2'))
    assert same(parent, state_of(family / 'tomp_small.pth.tar'))
    changed = {key for key in parent if not torch.equal(parent[key], made[key])}
    assert changed and all(key.startswith(('head.foreground.', 'head.box_encoder.')) for key in changed)
    info = checkpoints.load(newest(family, 'd2'))[1]['net_info']
    assert (info['recipe'], info['tracker'], info['crop_size']) == ('d2', 'cmd_tomp', 144)
    assert info['start'] == info['teacher']


@pytest.mark.parametrize('name', ['default', 'a1'])
def test_the_network_tracks(family, monkeypatch, world_video, name):
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(family))
    runner = Tracker('cmd_tomp', name)
    params = runner.get_parameters()
    assert params.net.net_path == str(newest(family, 'd2' if name == 'default' else 'a1'))
    assert params.image_sample_size == 144
    params.target_not_found_threshold = -1e9  # it is made for trained networks
    monkeypatch.setattr(runner, 'get_parameters', lambda: params)
    boxes = np.array(runner.run_sequence(get_dataset('folder', root=world_video)[0].first(3))['target_bbox'])
    assert boxes.shape == (3, 4) and np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()
    assert np.abs(boxes[1:] - boxes[0]).max() > 0, 'it looked at the frames'


@pytest.mark.parametrize('name', ['b1', 'b3', 'c1'])
def test_rows_of_one_loss_are_not_there(name):
    with pytest.raises(UserError, match=f"unknown row of cmd_tomp '{name}': .*known: a1, d1, d2, d3, d4, d5, control"):
        recipe_of('cmd_tomp', name)


def test_a_parent_of_another_kind_is_refused(workspace, tmp_path):
    with pytest.raises(UserError, match='holds a dimpnet_small, which is no network of cmd_tomp: it takes tomp50'):
        make('a1', workspace, 'cmd_tomp', init=network_file(tmp_path))


def test_a_checkout_without_it_is_told_so(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(reading.importlib.util, 'find_spec',
                        lambda name: None if name == 'ltr.models.tracking.tompnet' else find(name))
    with pytest.raises(UserError, match=r'holds a tompnet_small, which the toolkit in use does not have'):
        reading.load(small(tmp_path))


@pytest.mark.parametrize('name', SETTINGS)
def test_networks_and_crops_are_those_of_the_own_training(name):
    network, recipe = FAMILY.networks[name], SETTINGS[name].RECIPE
    assert (network.function, network.module) == (recipe.network.__name__, recipe.network.__module__)
    assert (network.crop_size, network.label_sigma) == (recipe.output_sz, recipe.label_sigma)
    ours = processing_of(name)
    own = _common.processing(recipe)
    for attribute in ('search_area_factor', 'output_sz', 'center_jitter_factor', 'scale_jitter_factor', 'crop_type',
                      'max_scale_change', 'mode', 'label_function_params'):
        assert getattr(ours, attribute) == getattr(own, attribute), attribute
    if name == 'tomp_small':
        assert networks.new_network(name, 'cmd_tomp').head.label_sigma == recipe.label_sigma


def processing_of(name: str) -> DiMPProcessing:
    """As `training.train` makes it."""
    network = FAMILY.networks[name]
    return cross_modal_processing(**{'output_sz': network.crop_size, 'feature_sz': network.crop_size // STRIDE,
                                     'label_sigma': network.label_sigma, **FAMILY.processing, **network.processing})


def test_the_network_marks_the_target_where_the_label_has_it(rng):
    """One label: that of the loss, made by the processing, and that of the reference branch, made by the network."""
    torch.manual_seed(0)
    pair, box = rng.integers(0, 255, (200, 320, 6), dtype='uint8'), torch.tensor([150.0, 80, 40, 40])
    data = processing_of('tomp_small')(TensorDict({
        'train_images': [pair], 'test_images': [pair], 'train_anno': [box], 'test_anno': [box.clone()]}))
    assert data['test_label'].shape == (1, 9, 9) and data['test_proposals'].shape == (1, 1, 4)
    torch.testing.assert_close(tompnet_small().head.label(data['test_anno'], (9, 9)), data['test_label'])


@pytest.mark.parametrize(('size', 'side'), [(288, 288), (144, 144)])
def test_tracking_parameters_are_the_parent_s(size, side):
    params = FAMILY.parameters(size)
    assert params.image_sample_size == side and params.memory_threshold == 0.9 and not params.use_iou_net
