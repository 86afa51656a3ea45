"""CMD-KYS: its DiMP is distilled as DiMP is, its response predictor is carried over bit for bit."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from cmd_plugin import checkpoints, networks
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.components import BBE, TCL
from cmd_plugin.errors import UserError
from cmd_plugin.families import CMD_DIMP, CMD_KYS
from cmd_plugin.master import MasterAdam
from cmd_plugin.parameter import stock
from cmd_plugin.recipes import RECIPES
from cmd_plugin.selection import VARIABLE
from ltr.admin.model_constructor import NetConstructor
from ltr.train_settings.kys import kys, kys_small
from pytracking.evaluation import Tracker, get_dataset
from pytracking.tracker.kys import KYS
from tests.distilling.conftest import actor_of, make, make_batch, network_file, same, small_net, state_of

pytestmark = pytest.mark.usefixtures('no_settings')
OWN = 'response_predictor.'


def of_dimp(state) -> dict[str, torch.Tensor]:
    return {key: value for key, value in state.items() if not key.startswith(OWN)}


def test_nothing_is_described_anew():
    assert {name: type(component) for name, component in CMD_KYS.components.items()} == {'tcl': TCL, 'bbe': BBE}
    assert list(RECIPES['cmd_kys']) == list(RECIPES['cmd_dimp'])
    assert CMD_KYS.tracker() is KYS and CMD_KYS.processing == CMD_DIMP.processing


@pytest.mark.parametrize(('name', 'dimp'), [('kys50', 'dimp50'), ('kys18', 'dimp18')])
def test_networks_are_those_of_its_training_and_crops_those_of_dimp(name, dimp):
    network, recipe = CMD_KYS.networks[name], kys.RECIPES[name]
    assert (network.module, network.function) == (recipe.network.__module__, recipe.network.__name__)
    assert network.arguments == CMD_DIMP.networks[dimp].arguments
    assert {key: network.arguments[key] for key in recipe.options} == dict(recipe.options)
    assert (network.crop_size, network.label_sigma) == (recipe.output_sz, recipe.label_sigma) == (288, 0.05)
    small = CMD_KYS.networks['kys_small']
    assert (small.crop_size, small.label_sigma) == (kys_small.RECIPE.output_sz, kys_small.RECIPE.label_sigma)
    assert networks.description(small_net(tracker='cmd_kys')) is small


def test_the_loss_is_that_of_cmd_dimp():
    net = small_net(tracker='cmd_kys')
    dimp = small_net()
    dimp.load_state_dict(of_dimp(net.state_dict()))
    losses = [CrossModalActor(student, copy.deepcopy(student), RECIPES[tracker]['d3'])(make_batch())[0].item()
              for student, tracker in ((net, 'cmd_kys'), (dimp, 'cmd_dimp'))]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.parametrize('name', ['b1', 'd3'])
def test_a_few_steps(name):
    """The teacher stays bit for bit, and of the student what the row does not list, the response predictor with it."""
    actor = actor_of(name, tracker='cmd_kys')
    start, teacher = copy.deepcopy(actor.net.state_dict()), copy.deepcopy(actor.teacher.state_dict())
    listed = {key for group in actor.recipe.trained(actor.net).values() for key in group}
    optimizer = MasterAdam([{'params': list(group.values()), 'lr': 1e-4}
                            for group in actor.recipe.trained(actor.net).values()])
    for seed in range(3):
        actor.train(True)
        optimizer.zero_grad()
        actor(make_batch(seed=seed))[0].backward()
        optimizer.step()
    changed = {key for key, value in actor.net.state_dict().items() if not torch.equal(value, start[key])}
    assert changed == listed and not any(key.startswith(OWN) for key in listed)
    assert same(actor.teacher.state_dict(), teacher)
    assert all(p.grad is None and not p.requires_grad for p in actor.net.response_predictor.parameters())


@pytest.fixture(scope='module')
def workspace(no_settings, tmp_path_factory, world_pairs) -> Path:
    """The parent, b1 from it, and d3 straight from the parent's file, by the command line."""
    folder = tmp_path_factory.mktemp('cmd_kys')
    parent = network_file(tmp_path_factory.mktemp('parent'), tracker='cmd_kys')
    make('a1', folder, 'cmd_kys', init=parent)
    make('b1', folder, 'cmd_kys', data=[world_pairs])
    make('d3', folder, 'cmd_kys', data=[world_pairs], init=parent)
    return folder


def newest(folder: Path, name: str) -> Path:
    return sorted((folder / 'checkpoints' / 'ltr' / 'cmd_kys' / name).glob('KYSnet_ep*.pth.tar'))[-1]


def test_the_response_predictor_is_the_parent_s_in_every_network(workspace):
    parent = small_net(tracker='cmd_kys').state_dict()
    own = {key: value for key, value in parent.items() if key.startswith(OWN)}
    assert len(own) > 20
    for name in ('a1', 'b1', 'd3'):
        state = state_of(newest(workspace, name))
        assert same({key: state[key] for key in own}, own), name
        assert (name == 'a1') == same(of_dimp(state), of_dimp(parent)), name
    info = checkpoints.load(newest(workspace, 'd3'))[1]['net_info']
    assert (info['recipe'], info['tracker'], info['crop_size']) == ('d3', 'cmd_kys', 144)


@pytest.mark.parametrize('name', ['default', 'a1'])
def test_the_distilled_network_tracks(workspace, monkeypatch, world_video, name):
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(workspace))
    runner = Tracker('cmd_kys', name)
    params = runner.get_parameters()
    assert params.net.net_path == str(newest(workspace, 'd3' if name == 'default' else name))
    assert params.image_sample_size == 144 and params.fuse_response
    params.target_not_found_threshold = -1  # it is made for trained networks
    monkeypatch.setattr(runner, 'get_parameters', lambda: params)
    boxes = np.array(runner.run_sequence(get_dataset('folder', root=world_video)[0].first(4))['target_bbox'])
    assert boxes.shape == (4, 4) and np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()


def test_parameters_are_the_parent_s():
    assert stock.kys(288).net.net_path == 'kys.pth.tar' and stock.kys(288).image_sample_size == 288
    assert stock.kys(144).net.net_path == 'kys_small.pth.tar'


def test_bad_input(tmp_path, monkeypatch):
    """A DiMP is no parent of a KYS, nor the other way round; a parent is not tracked as a distilled network."""
    with pytest.raises(UserError, match='holds a dimpnet_small, which is no network of cmd_kys'):
        networks.load_parent(network_file(tmp_path), None, 'cmd_kys')
    with pytest.raises(UserError, match='holds a kysnet_small, which is no network of cmd_dimp'):
        networks.load_parent(network_file(tmp_path, tracker='cmd_kys'), None, 'cmd_dimp')
    monkeypatch.setenv(VARIABLE, str(network_file(tmp_path, recipe='a1', tracker='cmd_kys')))
    with pytest.raises(UserError, match=r'the parent \(a1\).*use the tracker kys'):
        Tracker('cmd_kys', 'default').get_parameters()
    with pytest.raises(UserError, match='refused'):
        NetConstructor('kysnet_small', 'ltr.models.tracking.dimpnet').get()
