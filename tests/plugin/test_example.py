"""The example package: in place by what it declares, and installed by pip into a fresh environment."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
import torch

from cmd_plugin import checkpoints
from ltr.admin import plugins
from ltr.admin.errors import UserError
from ltr.run_training import run_training
from pytracking.evaluation import Tracker, get_dataset
from tests.conftest import REPO
from tests.plugin.conftest import EXAMPLE, declared
from tests.system.conftest import clean_environment, one_line

SHORT = ('--epochs', '1', '--samples', '4', '--batch', '2', '--workers', '0', '--device', 'cpu')


def test_it_offers_something_in_every_group_but_figures_and_checkouts():
    assert set(plugins.GROUPS) - set(declared()) == {'pytracking.published', 'pytracking.checkouts'}


def test_everything_it_declares_is_there(example):
    for group, entries in declared().items():
        for name in entries:
            assert plugins.load(group, name) is not None


def test_the_set_in_its_own_format(example, pocket_set, world_video, tmp_path):
    ours, theirs = get_dataset('pocket_set', root=pocket_set), get_dataset('folder', root=world_video)
    assert [s.name for s in ours] == [s.name for s in theirs] and ours.protocol == theirs.protocol
    for a, b in zip(ours, theirs, strict=True):
        assert a.frames == b.frames and np.allclose(a.ground_truth_rect, b.ground_truth_rect)
    with pytest.raises(UserError, match=r'no sequences\.json in '):
        get_dataset('pocket_set', root=tmp_path)
    listed = json.loads((pocket_set / 'sequences.json').read_text())
    name = sorted(listed)[0]
    listed[name]['boxes'].pop()
    (tmp_path / 'sequences.json').write_text(json.dumps(listed))
    with pytest.raises(UserError, match=f'pocket_set: {name} has 20 images and 19 boxes'):
        get_dataset('pocket_set', root=tmp_path)


def test_the_tracker_goes_where_the_score_is_highest(example):
    """A network that sees colour alone, and a red square that moves by a cell or two."""
    from pocket.network import pocketnet
    from pocket.parameter.pocket.default import tracking
    from pocket.tracker import PocketTracker

    from pytracking.features.net_wrappers import NetWithBackbone
    net = pocketnet(width=6)
    for parameter in net.parameters():
        parameter.data.zero_()
    for stage in net.feature_extractor.stages:
        stage[0].weight.data[0, 0, 1, 1] = 1
    for head in (net.reference, net.test):
        head.weight.data[0, 0] = 1
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.fill_(1)
    params = tracking(128)
    params.net = NetWithBackbone(net, use_gpu=False)

    def image(x: int, y: int) -> np.ndarray:
        canvas = np.full((200, 300, 3), 20, np.uint8)
        canvas[y:y + 40, x:x + 40, 0] = 250
        return canvas
    tracker = PocketTracker(params)
    tracker.initialize(image(120, 80), {'init_bbox': [120, 80, 40, 40]})
    for x, y in ((130, 80), (150, 90), (170, 110)):
        box = np.array(tracker.track(image(x, y))['target_bbox'])
        assert np.abs(box[:2] + 20 - (x + 20, y + 20)).max() <= 26 and box[2:].tolist() == [40, 40]
    assert box[0] > 140, 'it has followed'


def test_a_recipe_trains_its_branch_alone(example, pocket_set, world_pairs, world_video, tmp_path, monkeypatch):
    """In this process: the parent on labelled video, b1 on pairs, and a tracked sequence."""
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path))
    short = {'epochs': 1, 'samples': 4, 'batch': 2, 'workers': 0, 'device': 'cpu'}
    run_training('pocket', 'default', data=[world_video], workspace=tmp_path, **short)
    parent = tmp_path / 'checkpoints' / 'ltr' / 'pocket' / 'default' / 'PocketNet_ep0001.pth.tar'
    run_training('cmd_pocket', 'a1', init=parent, workspace=tmp_path)
    run_training('cmd_pocket', 'b1', data=[world_pairs], workspace=tmp_path, **short)
    path = checkpoints.newest('b1', 'cmd_pocket')
    before, after = (checkpoints.load(file)[0].state_dict() for file in (parent, path))
    assert {key for key in before if not torch.equal(before[key], after[key])} == {'reference.weight', 'reference.bias'}
    masters = checkpoints.load(path)[1]['optimizer']['master']
    assert masters[0].dtype == torch.float64
    runner = Tracker('cmd_pocket', 'default')
    assert runner.get_parameters().net.net_path == str(path)
    boxes = np.array(runner.run_sequence(get_dataset('pocket_set', root=pocket_set)[0].first(3))['target_bbox'])
    assert boxes.shape == (3, 4) and np.isfinite(boxes).all()


@pytest.fixture(scope='module')
def python(tmp_path_factory) -> Path:
    """The interpreter of a fresh environment that sees this one's packages, with the example installed by pip."""
    missing = [name for name in ('pip', 'setuptools') if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f'{" and ".join(missing)} not found: nothing can be installed here')
    folder = tmp_path_factory.mktemp('fresh')
    venv.create(folder / 'venv', with_pip=False)
    here = folder / 'venv' / ('Scripts' if os.name == 'nt' else 'bin') / 'python'
    site = subprocess.run([here, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], check=True,
                          capture_output=True, text=True).stdout.strip()
    (Path(site) / 'packages_of_the_tests.pth').write_text(
        f'import site; site.addsitedir({sysconfig.get_path("purelib")!r})\n')
    shutil.copytree(EXAMPLE, folder / 'example', ignore=shutil.ignore_patterns('__pycache__'))
    done = subprocess.run([here, '-m', 'pip', 'install', '--no-index', '--no-build-isolation', '--no-deps',
                           '--disable-pip-version-check', folder / 'example'], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (Path(site) / 'pocket').is_dir(), 'it went into the fresh environment'
    return here


@pytest.mark.slow
def test_installed_by_pip_it_trains_tracks_and_prints_a_table(python, tmp_path, world_video, world_pairs, pocket_set):
    """All through the public command lines, from a folder that is nobody's."""
    def run(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        result = subprocess.run([python, '-m', *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True,
                                env=clean_environment(PYTRACKING_WORKSPACE_DIR=str(tmp_path / 'ws')), timeout=300)
        assert result.returncode == status, result.stderr
        return result
    assert 'cmd_pocket b1' in run('cmd_plugin', 'recipes').stdout
    assert re.search(r'cmd_families: .*cmd_pocket', run('cmd_plugin', 'doctor').stdout)
    assert 'known: a1, b1, b2' in one_line(run('ltr.run_training', 'cmd_pocket', 'b3', status=2))
    run('ltr.run_training', 'pocket', 'default', '--data', world_video, *SHORT)
    parent = tmp_path / 'ws' / 'checkpoints' / 'ltr' / 'pocket' / 'default' / 'PocketNet_ep0001.pth.tar'
    wants = one_line(run('ltr.run_training', 'cmd_pocket', 'b1', '--data', world_pairs, status=2))
    assert 'cmd_pocket a1 --init pocket.pth.tar' in wants
    run('ltr.run_training', 'cmd_pocket', 'a1', '--init', parent)
    run('ltr.run_training', 'cmd_pocket', 'b1', '--data', world_pairs, *SHORT)
    tracked = run('pytracking.run_tracker', 'cmd_pocket', 'default', '--dataset', 'pocket_set', '--data', pocket_set)
    assert 'b1' in tracked.stderr and 'success' in tracked.stdout.lower()
    shutil.copytree(parent.parent, tmp_path / 'ws' / 'networks')
    (tmp_path / 'ws' / 'networks' / parent.name).rename(tmp_path / 'ws' / 'networks' / 'pocket.pth.tar')
    run('pytracking.run_tracker', 'pocket', 'default', '--dataset', 'pocket_set', '--data', pocket_set, '--threads', 2)
    table = run('pytracking.analyse', 'pocket/default', 'cmd_pocket/default', '--dataset', 'pocket_set', '--data',
                pocket_set, '--top', 0).stdout
    assert re.search(r'^cmd_pocket/default +\d', table, re.MULTILINE), table
    assert re.search(r'^pocket/default +\d', table, re.MULTILINE), table
    assert run('cmd_plugin', 'inspect', parent).stdout.count('pocketnet') >= 1


def test_the_guides_show_the_example_as_it_is():
    """Code in the guides that names a file of the example is that file's."""
    for guide in ('adding_a_tracker.md', 'adding_a_dataset.md'):
        text = (REPO / 'docs' / guide).read_text(encoding='utf-8')
        blocks = re.findall(r'^`tests/plugin/example/(\S+)`:\n\n((?:    .*\n|\n)+)', text, re.MULTILINE)
        assert blocks, guide
        for name, block in blocks:
            source = (EXAMPLE / name).read_text(encoding='utf-8')
            shown = '\n'.join(line[4:] for line in block.rstrip().splitlines())
            assert shown in source, f'{guide}: {name}'
