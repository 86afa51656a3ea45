"""CMD-PrDiMP and CMD-SuperDiMP through the command lines: a few steps, the lineage, and tracking with what came out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cmd_plugin import checkpoints, lineage, merge, networks
from cmd_plugin.errors import UserError
from cmd_plugin.families import FAMILIES
from cmd_plugin.recipes import RECIPES
from cmd_plugin.selection import VARIABLE
from ltr.run_training import run_training
from pytracking.evaluation import Tracker, get_dataset
from tests.distilling.conftest import make, network_file, same, small_net, state_of
from tests.distilling.test_actor import BBE_REFERENCE, BBE_TEST, CLASSIFIER_PREDICTOR

pytestmark = pytest.mark.usefixtures('no_settings')
KL = ('cmd_prdimp', 'cmd_super_dimp')


@pytest.fixture(scope='module')
def family(no_settings, tmp_path_factory, world_pairs) -> dict[str, Path]:
    """Workspaces with all that a d row of CMD-PrDiMP starts from, and with b1 of CMD-SuperDiMP."""
    folders = {}
    for tracker in KL:
        folders[tracker] = tmp_path_factory.mktemp(tracker)
        parent = network_file(tmp_path_factory.mktemp('parent'), tracker=tracker)
        make('a1', folders[tracker], tracker, init=parent)
        for name in ('b1', 'b2', 'c1') if tracker == 'cmd_prdimp' else ('b1',):
            make(name, folders[tracker], tracker, data=[world_pairs])
    make('b3', folders['cmd_prdimp'], 'cmd_prdimp')
    make('d3', folders['cmd_prdimp'], 'cmd_prdimp', data=[world_pairs])
    return folders


def newest(folder: Path, name: str, tracker: str = 'cmd_prdimp') -> Path:
    return sorted((folder / 'checkpoints' / 'ltr' / tracker / name).glob('*.pth.tar'))[-1]


def test_rows_change_their_branch_alone_and_a_d_row_starts_from_b3_and_c1(family):
    folder = family['cmd_prdimp']
    parent = small_net(tracker='cmd_prdimp').state_dict()
    states = {name: state_of(newest(folder, name)) for name in ('a1', 'b1', 'b2', 'b3', 'c1', 'd3')}
    assert same(states['a1'], parent)
    for name, prefixes in (('b1', BBE_REFERENCE), ('b2', BBE_TEST), ('c1', CLASSIFIER_PREDICTOR)):
        changed = {key for key in parent if not torch.equal(parent[key], states[name][key])}
        assert changed and all(key.startswith(prefixes) for key in changed), name
    assert all(torch.equal(states['b3'][key], states['b1' if key.startswith(BBE_REFERENCE) else 'b2'][key])
               for key in parent)
    info = checkpoints.load(newest(folder, 'd3'))[1]['net_info']
    assert (info['recipe'], info['tracker'], info['crop_size']) == ('d3', 'cmd_prdimp', 144)
    assert info['options']['tcl_loss'] == 'kl'
    started = small_net(tracker='cmd_prdimp')
    started.load_state_dict({key: states['c1' if key.startswith(CLASSIFIER_PREDICTOR) else 'b3'][key]
                             for key in parent})
    assert info['start'] == checkpoints.fingerprint(started)


@pytest.mark.parametrize(('tracker', 'name'), [('cmd_prdimp', 'd3'), ('cmd_prdimp', 'a1'), ('cmd_super_dimp', 'b1')])
def test_the_distilled_network_tracks(family, monkeypatch, world_video, tracker, name):
    """By the default, or by the name of a row, with the parent's own parameters."""
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(family[tracker]))
    runner = Tracker(tracker, 'default' if name != 'a1' else name)
    params = runner.get_parameters()
    path = newest(family[tracker], name, tracker)
    assert params.net.net_path == str(path) and params.image_sample_size == 144
    params.target_not_found_threshold = -1  # it is made for trained networks
    monkeypatch.setattr(runner, 'get_parameters', lambda: params)
    sequence = get_dataset('folder', root=world_video)[0].first(4)
    boxes = np.array(runner.run_sequence(sequence)['target_bbox'])
    assert boxes.shape == (4, 4) and np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()
    assert np.abs(boxes[1:] - boxes[0]).max() > 0, 'it looked at the frames'


def test_merged_files_are_of_the_tracker_that_made_them(family, tmp_path, capsys, no_settings):
    """`dimpnet_small` may be a DiMP or a SuperDiMP: the record of what is merged tells."""
    b1 = newest(family['cmd_super_dimp'], 'b1', 'cmd_super_dimp')
    base = newest(family['cmd_super_dimp'], 'a1', 'cmd_super_dimp')
    net, contents = checkpoints.load(b1)
    b2 = tmp_path / 'b2.pth.tar'
    checkpoints.save(b2, net, {**contents['net_info'], 'recipe': 'b2'})
    merge.merge_files(base, b1, b2, tmp_path / 'b3.pth.tar')
    info = checkpoints.load(tmp_path / 'b3.pth.tar')[1]['net_info']
    assert (info['tracker'], info['crop_size']) == ('cmd_super_dimp', 144)
    checkpoints.save(b2, net, {**contents['net_info'], 'recipe': 'b2', 'tracker': 'cmd_dimp'})
    with pytest.raises(UserError, match=r'b2.pth.tar is a network of cmd_dimp, but .* one of cmd_super_dimp'):
        merge.merge_files(base, b1, b2, tmp_path / 'b3.pth.tar')


def test_plain_squares_are_not_a_loss_of_densities(workspace, world_pairs, tmp_path, monkeypatch):
    monkeypatch.setenv('CMD_TCL_LOSS', 'squared')
    with pytest.raises(UserError, match=r"tcl_loss must be one of \('kl',\), not 'squared'"):
        make('c1', workspace, 'cmd_prdimp', init=network_file(tmp_path, tracker='cmd_prdimp'), data=[world_pairs])


def test_a_network_of_the_other_kind_is_refused(workspace, tmp_path, monkeypatch):
    dimp = network_file(tmp_path)
    with pytest.raises(UserError, match='holds a dimpnet_small, which is no network of cmd_prdimp: it takes prdimp50'):
        make('a1', workspace, 'cmd_prdimp', init=dimp)
    monkeypatch.setenv(VARIABLE, str(dimp))
    with pytest.raises(UserError, match='no network of cmd_prdimp'):
        Tracker('cmd_prdimp', 'default').get_parameters()


@pytest.mark.parametrize('tracker', KL)
def test_a_missing_parent_is_asked_for_by_its_own_file(workspace, tracker):
    with pytest.raises(UserError, match=f'--init {FAMILIES[tracker].file}'):
        lineage.start(None, RECIPES[tracker]['d3'])


@pytest.mark.slow
@pytest.mark.parametrize(('tracker', 'net', 'size'), [('cmd_prdimp', 'prdimp18', 288),
                                                      ('cmd_super_dimp', 'super_dimp', 352)])
def test_a_step_of_the_stock_networks(workspace, world_pairs, world_video, tmp_path, tracker, net, size):
    """At the stock size of the crops, from random weights to a tracked frame."""
    torch.manual_seed(0)
    checkpoints.save(tmp_path / 'parent.pth.tar', networks.new_network(net, tracker), {})
    run_training(tracker, 'control', init=tmp_path / 'parent.pth.tar', net=net, data=[world_pairs], epochs=1, samples=2,
                 batch=2, workers=0, device='cpu', workspace=workspace)
    run_training(tracker, 'c1', init=tmp_path / 'parent.pth.tar', data=[world_pairs], epochs=1, samples=2, batch=2,
                 workers=0, device='cpu', workspace=workspace)
    runner = Tracker(tracker, 'c1')
    assert runner.get_parameters().image_sample_size == size
    boxes = runner.run_sequence(get_dataset('folder', root=world_video)[0].first(2))['target_bbox']
    assert np.isfinite(np.array(boxes)).all()
