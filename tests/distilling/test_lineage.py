"""From the parent to d3: which weights a network starts from, is made of, and ends with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cmd_plugin import checkpoints, lineage
from cmd_plugin.errors import UserError
from cmd_plugin.recipes import RECIPES
from ltr.run_training import run_training
from tests.conftest import REPO
from tests.distilling.conftest import small_net
from tests.distilling.test_actor import BBE_REFERENCE, BBE_TEST, CLASSIFIER_PREDICTOR

State = dict[str, torch.Tensor]


@pytest.fixture(scope='module', autouse=True)
def no_settings():
    """No variable of the user reaches a test, and none that a run sets stays."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(('CMD_', 'PYTRACKING_')) and name != 'CMD_SHARED_DATA':
                patch.delenv(name)
        patch.setenv('PYTRACKING_WORKSPACE_DIR', 'nowhere')
        yield


def network_file(folder: Path, seed: int = 0, recipe: str | None = None) -> Path:
    path = folder / f'DiMPnet_{recipe}_{seed}.pth.tar'
    checkpoints.save(path, small_net(seed), {} if recipe is None else {'recipe': recipe})
    return path


def make(name: str, workspace: Path, **flags) -> Path:
    """Run a recipe as the command does; two steps where it trains."""
    if RECIPES[name].components:
        flags = {'epochs': 1, 'samples': 4, 'batch': 2, 'lr_scale': 1e3, **flags}
    run_training('cmd_dimp', name, workspace=workspace, workers=0, device='cpu', **flags)
    path = checkpoints.newest(name)
    assert path is not None and path.is_relative_to(workspace)
    return path


def state_of(path: Path) -> State:
    return checkpoints.load(path)[0].state_dict()


def same(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(scope='module')
def family(tmp_path_factory, world_pairs) -> tuple[Path, dict[str, State]]:
    """A workspace with a1, b1, b2, b3, c1, made by the commands in this order, and their weights."""
    workspace = tmp_path_factory.mktemp('family')
    parent = network_file(tmp_path_factory.mktemp('parent'))
    paths = {'a1': make('a1', workspace, init=parent)}
    paths |= {name: make(name, workspace, data=[world_pairs]) for name in ('b1', 'b2', 'c1')}
    paths['b3'] = make('b3', workspace)
    return workspace, {name: state_of(path) for name, path in paths.items()}


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'workspace'))
    return tmp_path / 'workspace'


@pytest.fixture
def in_family(family, monkeypatch) -> dict[str, State]:
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(family[0]))
    return family[1]


def test_a1_is_the_parent(family):
    assert same(family[1]['a1'], small_net().state_dict())


def test_trained_ancestors_differ_from_the_parent_in_their_branch_alone(family):
    states = family[1]
    for name, prefixes in (('b1', BBE_REFERENCE), ('b2', BBE_TEST), ('c1', CLASSIFIER_PREDICTOR)):
        changed = {key for key in states['a1'] if not torch.equal(states['a1'][key], states[name][key])}
        assert changed and all(key.startswith(prefixes) for key in changed)
        assert {key.split('.')[1] for key in changed} == {prefix.split('.')[1] for prefix in prefixes}


def test_b3_is_b1_and_b2_on_their_branches_and_a1_elsewhere(family):
    states = family[1]
    for key, value in states['b3'].items():
        source = 'b1' if key.startswith(BBE_REFERENCE) else 'b2' if key.startswith(BBE_TEST) else 'a1'
        assert torch.equal(value, states[source][key]), f'{key} is not of {source}'


def test_the_merge_command_gives_what_the_setting_gives(family, tmp_path):
    workspace, states = family
    folder = workspace / 'checkpoints' / 'ltr' / 'cmd_dimp'
    files = {flag: str(next((folder / name).glob('*.pth.tar')))
             for flag, name in (('--base', 'a1'), ('--reference', 'b1'), ('--test', 'b2'))}
    out = tmp_path / 'deep' / 'b3.pth.tar'
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin', 'merge', *sum(files.items(), ()), '--out', str(out)],
                            cwd=REPO, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f'b3: {out}\n'
    assert same(state_of(out), states['b3'])
    assert checkpoints.load(out)[1]['net_info'] == {'recipe': 'b3', 'crop_size': 144}
    assert [path.name for path in out.parent.iterdir()] == ['b3.pth.tar']


def test_d3_starts_from_b3_and_c1_with_the_parent_as_teacher(in_family):
    student, parent = lineage.start(None, RECIPES['d3'])
    assert same(parent.state_dict(), in_family['a1'])
    for key, value in student.state_dict().items():
        source = 'b3' if key.startswith('bb_regressor.') else 'c1' if key.startswith(CLASSIFIER_PREDICTOR) else 'a1'
        assert torch.equal(value, in_family[source][key]), f'{key} is not of {source}'


def test_init_is_student_and_teacher_and_needs_no_ancestors(tmp_path, workspace, monkeypatch):
    monkeypatch.setenv('CMD_INIT', str(network_file(tmp_path, seed=3)))
    student, parent = lineage.start(None, RECIPES['d3'])
    assert student is not parent
    assert same(student.state_dict(), parent.state_dict()) and same(parent.state_dict(), small_net(3).state_dict())
    shared = {p.data_ptr() for p in student.parameters()} & {p.data_ptr() for p in parent.parameters()}
    assert not shared, 'a step of the student would move its teacher'


# --- what is missing or does not fit ---

def test_missing_ancestors_are_listed_as_commands_in_the_order_to_run_them(workspace, tmp_path):
    def asked(name: str) -> list[str]:
        with pytest.raises(UserError) as caught:
            lineage.start(None, RECIPES[name])
        assert '\n' not in str(caught.value) and str(caught.value).endswith('; or give --init PATH')
        return re.findall(r'python ltr/run_training\.py cmd_dimp (\w+)', str(caught.value))
    assert asked('d3') == ['a1', 'b1', 'b2', 'b3', 'c1']
    assert asked('b3') == ['a1', 'b1', 'b2']
    assert asked('b1') == ['a1']
    make('a1', workspace, init=network_file(tmp_path))
    assert asked('d3') == ['b1', 'b2', 'b3', 'c1']
    checkpoints.save(checkpoints.folder_of('b3') / 'DiMPnet_ep0001.pth.tar', small_net(), {'recipe': 'b3'})
    assert asked('d3') == ['c1']
    assert asked('b3') == ['b1', 'b2']


def test_a1_asks_for_its_checkpoint(workspace):
    with pytest.raises(UserError, match='a1 is the RGB parent: give its checkpoint with --init'):
        lineage.start(None, RECIPES['a1'])


def put(recipe: str, seed: int, says: str | None = None) -> Path:
    path = checkpoints.folder_of(recipe) / 'DiMPnet_ep0001.pth.tar'
    checkpoints.save(path, small_net(seed), {'recipe': says or recipe})
    return path


def test_an_ancestor_of_another_parent_is_refused(workspace):
    put('a1', 0), put('b1', 0)
    stranger = put('b2', 1)
    with pytest.raises(UserError, match=re.escape(f'{stranger} comes from another parent')):
        lineage.start(None, RECIPES['b3'])


def test_a_file_of_another_recipe_in_an_ancestors_place_is_refused(workspace):
    put('a1', 0), put('b2', 0)
    wrong = put('b1', 0, says='b2')
    with pytest.raises(UserError, match=re.escape(f"{wrong} is a network of 'b2', not of b1")):
        lineage.start(None, RECIPES['b3'])


def test_merge_refuses_strangers(tmp_path):
    from cmd_plugin.merge import merge_files
    base, stranger = network_file(tmp_path, 0), network_file(tmp_path, 1)
    with pytest.raises(UserError, match='another parent'):
        merge_files(base, base, stranger, tmp_path / 'out.pth.tar')
    other = tmp_path / 'other.pth.tar'
    from ltr.models.tracking.dimpnet import dimpnet_small
    checkpoints.save(other, dimpnet_small(out_feature_dim=32), {})
    with pytest.raises(UserError, match='another network'):
        merge_files(base, other, base, tmp_path / 'out.pth.tar')
    with pytest.raises(UserError, match='no checkpoint'):
        merge_files(base, tmp_path / 'missing.pth.tar', base, tmp_path / 'out.pth.tar')
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='cannot write'):
        merge_files(base, base, base, tmp_path / 'file' / 'out.pth.tar')
    assert not (tmp_path / 'out.pth.tar').exists()


def test_init_that_does_not_fit(tmp_path, monkeypatch):
    path = network_file(tmp_path)
    with pytest.raises(UserError, match='holds a dimpnet_small, not the network --net dimp18'):
        checkpoints.load_parent(path, 'dimp18')
    with pytest.raises(UserError, match="unknown network 'dimp34'"):
        checkpoints.load_parent(path, 'dimp34')
    with pytest.raises(UserError, match=r'--init: no file .*absent\.pth\.tar'):
        checkpoints.load_parent(tmp_path / 'absent.pth.tar', None)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match='truncated or corrupt'):
        checkpoints.load_parent(path, None)


@pytest.fixture(scope='module')
def backbone18() -> State:
    backbone = checkpoints.new_network('dimp18').feature_extractor
    return {key: value.clone() for key, value in backbone.state_dict().items()
            if not key.startswith(('layer4.', 'fc.')) and not key.endswith('num_batches_tracked')}


def test_a_backbone_file_goes_into_a_new_network(tmp_path, backbone18, capsys):
    from safetensors.torch import save_file
    save_file(backbone18, tmp_path / 'r18.safetensors')
    net = checkpoints.load_parent(tmp_path / 'r18.safetensors', 'dimp18')
    loaded = net.feature_extractor.state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in backbone18.items())
    assert 'the heads start from random weights' in capsys.readouterr().out
    assert net.constructor.fun_name == 'dimpnet18'


@pytest.mark.parametrize('fault', ['shape', 'missing', 'unexpected', 'cut', 'text'])
def test_a_backbone_file_of_another_network_is_refused(tmp_path, backbone18, fault):
    from safetensors.torch import save_file
    path = tmp_path / 'weights.safetensors'
    tensors, message = dict(backbone18), 'of another backbone: 1 tensors differ, first'
    if fault == 'shape':
        tensors['layer3.1.conv2.weight'] = torch.zeros(256, 1024, 1, 1)
    if fault == 'missing':
        del tensors['layer3.1.conv2.weight']
    if fault == 'unexpected':
        tensors['layer3.1.conv3.weight'] = torch.zeros(2)
    save_file(tensors, path)
    if fault in ('cut', 'text'):
        path.write_bytes(path.read_bytes()[:100_000] if fault == 'cut' else b'no weights at all')
        message = 'cannot read the weights'
    with pytest.raises(UserError, match=message) as caught:
        checkpoints.load_parent(path, 'dimp18')
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)


def test_b3_takes_no_init(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv('CMD_INIT', str(network_file(tmp_path)))
    with pytest.raises(UserError, match='b3 is put together from b1 and b2: leave --init'):
        lineage.start(None, RECIPES['b3'])


def test_net_must_be_that_of_the_parent_in_the_workspace(workspace, monkeypatch):
    put('a1', 0)
    monkeypatch.setenv('CMD_NET', 'dimp50')
    with pytest.raises(UserError, match='holds a dimpnet_small, not the network --net dimp50'):
        lineage.start(None, RECIPES['c1'])


# --- training ---

def test_a_run_does_not_go_on_under_another_teacher(workspace, world_pairs, tmp_path):
    """Else the checkpoint would say d3 of one parent and be half of another."""
    path = make('c1', workspace, init=network_file(tmp_path, 0), data=[world_pairs])
    before = path.read_bytes()
    with pytest.raises(UserError, match=re.escape(f'{path} was trained under another parent')):
        make('c1', workspace, init=network_file(tmp_path, 1), data=[world_pairs], epochs=2)
    assert checkpoints.newest('c1') == path and path.read_bytes() == before
    assert make('c1', workspace, init=network_file(tmp_path, 0), data=[world_pairs], epochs=2).name[-12:-8] == '0002'


def test_steps_of_2e_8_change_the_saved_float32_weights(workspace, world_pairs, tmp_path):
    """d3 at the paper's own rates, eight steps: every trained tensor of the file has moved, and nothing else."""
    init = network_file(tmp_path)
    after = state_of(make('d3', workspace, init=init, data=[world_pairs], samples=16, lr_scale=1.0))
    before = small_net().state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    trained = {key for group in RECIPES['d3'].trained(small_net()).values() for key in group}
    assert changed == trained
    assert all(value.dtype == before[key].dtype for key, value in after.items())
    ones = 'classifier.filter_optimizer.spatial_weight_predictor.weight'
    assert 0 < (after[ones] - before[ones]).abs().max() < 3e-7


KILL_IN_EPOCH_2 = """
import os, signal, sys
from cmd_plugin.actor import CrossModalActor
from ltr.run_training import main
call = CrossModalActor.__call__
def killing(self, data):
    if data['epoch'] == 2:
        self.net.seen = getattr(self.net, 'seen', 0) + 1
        if self.net.seen == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    return call(self, data)
CrossModalActor.__call__ = killing
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='sends SIGKILL')
@pytest.mark.parametrize('workers', ['0', '2'])
def test_a_killed_d3_ends_bit_identical(tmp_path, world_pairs, workers):
    """SIGKILL in the second step of epoch 2 of 3, the same command again, against a run that was left alone."""
    arguments = ['cmd_dimp', 'd3', '--init', str(network_file(tmp_path)), '--data', str(world_pairs), '--epochs', '3',
                 '--samples', '6', '--batch', '2', '--seed', '4', '--device', 'cpu', '--workers', workers]
    script = [sys.executable, str(REPO / 'ltr' / 'run_training.py')]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}

    def run(command: list[str], name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments, '--workspace', str(tmp_path / name)], env=environment, cwd=REPO,
                              capture_output=True, text=True, timeout=200)
    killed = run([sys.executable, '-c', KILL_IN_EPOCH_2], 'killed')
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folders = {name: tmp_path / name / 'checkpoints' / 'ltr' / 'cmd_dimp' / 'd3' for name in ('killed', 'whole')}
    assert [path.name for path in folders['killed'].glob('*_ep*')] == ['DiMPnet_ep0001.pth.tar']
    resumed = run(script, 'killed')
    assert 'going on after epoch 1' in resumed.stdout and resumed.returncode == 0, resumed.stderr
    assert run(script, 'whole').returncode == 0
    ends = [checkpoints.load(folder / 'DiMPnet_ep0003.pth.tar')[1] for folder in folders.values()]
    assert same(*(end['net'] for end in ends))
    masters = [end['optimizer']['master'] for end in ends]
    assert masters[0][0].dtype == torch.float64
    assert all(torch.equal(a, b) for a, b in zip(*masters, strict=True))
    assert ends[0]['lr_scheduler'] == ends[1]['lr_scheduler']
