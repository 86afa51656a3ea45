"""Runs of the plugin on the stand-in by `--upstream`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import REPO
from tests.system.conftest import clean_environment, one_line
from tests.upstream.conftest import changes
from tests.upstream.standin.build import git

SHORT = ('--epochs', '1', '--samples', '4', '--batch', '2', '--workers', '0', '--device', 'cpu')


def test_d3_trains_and_leaves_no_trace(upstream, checkout, small_network, world_pairs, tmp_path):
    result = upstream('train', 'cmd_dimp', 'd3', '--data', world_pairs, '--init', small_network, *SHORT)
    assert result.returncode == 0, result.stderr
    assert 'Finished training!' in result.stdout and 'Loss/tcl_final' in result.stdout
    assert (tmp_path / 'ws/checkpoints/ltr/cmd_dimp/d3/DiMPnet_ep0001.pth.tar').is_file()
    assert changes(checkout) == ''


@pytest.mark.slow
def test_it_resumes_and_our_toolkit_reads_what_it_made(upstream, checkout, small_network, world_pairs, tmp_path):
    """Two epochs in two runs are two epochs in one."""
    from cmd_plugin import checkpoints
    for name, epochs in (('parts', ('1', '2')), ('whole', ('2',))):
        for last in epochs:
            result = upstream('train', 'cmd_dimp', 'd3', '--data', world_pairs, '--init', small_network, *SHORT[2:],
                              '--epochs', last, '--workspace', tmp_path / name, '--lr-scale', '1000')
            assert result.returncode == 0, result.stderr
    files = [tmp_path / name / 'checkpoints/ltr/cmd_dimp/d3/DiMPnet_ep0002.pth.tar' for name in ('parts', 'whole')]
    (parts, contents), (whole, _) = (checkpoints.load(path) for path in files)
    assert contents['net_info']['recipe'] == 'd3' and contents['epoch'] == 2
    assert all(value.equal(whole.state_dict()[key]) for key, value in parts.state_dict().items())
    assert not all(value.equal(checkpoints.load(small_network)[0].state_dict()[key])
                   for key, value in parts.state_dict().items())
    assert changes(checkout) == ''


@pytest.mark.slow
@pytest.mark.parametrize('threads', ['0', '2'])
def test_tracking(upstream, checkout, distilled_dimp18, thermal, tmp_path, threads):
    result = upstream('track', 'cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', thermal, '--threads', threads,
                      CMD_NETWORK=str(distilled_dimp18))
    assert result.returncode == 0, result.stderr
    assert f'network: {distilled_dimp18} (recipe d3' in result.stderr
    results = tmp_path / 'ws' / 'results' / 'cmd_dimp' / 'default'
    for name in ('cat_S_001', 'dog_V_002'):
        boxes = np.loadtxt(results / f'{name}.txt', delimiter='\t')
        assert boxes.shape == (3, 4) and boxes[0].tolist() == [61, 40, 30, 30]
    assert changes(checkout) == ''


@pytest.mark.slow
def test_without_a_network_tracking_ends_before_it_begins(upstream, thermal):
    """The stock toolkit would print the reason once a sequence and end with status 0."""
    error = one_line(upstream('track', 'cmd_dimp', 'default', '--dataset', 'lsotb_tir', '--data', thermal))
    assert 'no distilled network below' in error and 'python -m cmd_plugin --upstream' in error


@pytest.mark.slow
def test_a_users_mistake_in_training_is_one_line(upstream, small_network):
    error = one_line(upstream('train', 'cmd_dimp', 'd3', '--init', small_network))
    assert error.startswith('error: no training pairs')


@pytest.mark.slow
def test_the_toolkits_own_settings_still_run(upstream):
    result = upstream('train', 'dimp', 'own')
    assert result.returncode == 0 and 'own setting, project ltr/dimp/own' in result.stdout


@pytest.mark.slow
def test_paths_that_nobody_has_set(pristine, tmp_path, small_network):
    """What stock writes and says itself is stock's; the plugin adds nothing to it."""
    checkout = tmp_path / 'bare'
    git(pristine, 'clone', '-q', str(pristine), str(checkout))
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin', '--upstream', str(checkout), 'train', 'cmd_dimp', 'a1',
                             '--init', str(small_network)], cwd=tmp_path, capture_output=True, text=True, timeout=300,
                            env=clean_environment(PYTHONPATH=str(REPO)))
    assert result.returncode == 1 and 'has been written with defaults: set your paths in it' in result.stderr
    assert changes(checkout) == ''


@pytest.mark.parametrize(('arguments', 'message'), [
    (['train', 'cmd_dimp', 'd33'], "did you mean 'd3'?"), (['track', 'cmd_dimp', 'dflt'], "did you mean 'default'?")])
def test_a_typo(upstream, arguments, message):
    assert message in one_line(upstream(*arguments))


def test_without_upstream_the_scripts_are_our_own(tmp_path):
    for command, kind in (('train', 'train setting of cmd_dimp'), ('track', 'data set')):
        arguments = ('cmd_dimp', 'd33') if command == 'train' else ('cmd_dimp', 'default', '--dataset', 'lsotb')
        result = subprocess.run([sys.executable, '-m', 'cmd_plugin', command, *arguments], cwd=tmp_path, text=True,
                                capture_output=True, timeout=100, env=clean_environment(PYTHONPATH=str(REPO)))
        assert one_line(result).startswith(f'error: unknown {kind}')


@pytest.mark.parametrize(('made', 'message'), [('absent', 'is not there'), ('file', 'is not a directory'),
                                               ('.', 'is not a checkout of the toolkit')])
def test_bad_checkouts(tmp_path, made, message):
    (tmp_path / 'file').touch()
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin', '--upstream', made, 'train', 'cmd_dimp', 'd3'],
                            cwd=tmp_path, capture_output=True, text=True, timeout=100,
                            env=clean_environment(PYTHONPATH=str(REPO)))
    assert message in one_line(result)


def test_in_the_folder_of_a_checkout_the_plugin_asks(checkout):
    """`python -m` puts the current folder first, so `ltr` would be the checkout's."""
    result = subprocess.run([sys.executable, '-m', 'cmd_plugin', 'recipes'], cwd=checkout, capture_output=True,
                            text=True, timeout=100, env=clean_environment(PYTHONPATH=str(REPO),
                                                                          PYTHONDONTWRITEBYTECODE='1'))
    assert f'ltr would come from {checkout}' in one_line(result) and changes(checkout) == ''


def test_doctor(upstream, checkout):
    result = upstream('doctor')
    assert result.returncode == 0, result.stderr
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert f'ltr: {checkout / "ltr"}' in lines and f'pytracking: {checkout / "pytracking"}' in lines
    section = lines[lines.index('upstream:') + 1:]
    assert section[0].startswith(f'checkout: {checkout} (commit ') and section[0].endswith('no file changed)')
    assert section[1] == f'ltr and pytracking come from the checkout, cmd_plugin from {REPO}'
    assert section[2].startswith('all ') and 'data sets lsotb_tir, ptb_tir' in section[3]
    mends = [line.removeprefix('mend ').split(': ')[0] for line in section[4:]]
    assert mends == ['collections.Mapping, collections.Sequence ...', 'torchvision.models.resnet.model_urls',
                     'torch.rfft, torch.irfft', 'classes that torch.load may read', 'ltr.external.PreciseRoIPooling']
    assert all(line.endswith(': not needed') or ': applied, ' in line for line in section[4:])


@pytest.mark.slow
def test_doctor_tells_what_a_checkout_lacks(upstream, checkout):
    (checkout / 'ltr' / 'trainers' / '__init__.py').write_text('')
    (checkout / 'pytracking' / 'evaluation' / 'running.py').write_text('import visdom_of_old\n')
    out = upstream('doctor').stdout
    assert 'ltr.trainers: has no LTRTrainer' in out and '2 files changed or added' in out
    assert ('pytracking.evaluation.running: cannot be imported: ModuleNotFoundError: '
            "No module named 'visdom_of_old'") in out


@pytest.mark.slow
def test_the_names_of_an_old_torch(active):
    result = active('import torch, ltr\nfrom pytracking.libs.fourier import low_pass\n'
                    'signal = torch.rand(2, 6, 8)\nfound = low_pass(signal)\n'
                    'wanted = torch.fft.rfft2(signal); wanted[..., 2:] = 0\n'
                    'print(torch.allclose(found, torch.fft.irfft2(wanted, s=(6, 8)), atol=1e-6))')
    assert result.stdout.strip() == 'True', result.stderr
