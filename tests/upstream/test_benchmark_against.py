"""Our speed beside that of a stock checkout: the same work, by names that both have, and nothing written there."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ltr.admin.errors import UserError
from pytracking import benchmark
from pytracking.benchmark import against, work
from tests.conftest import REPO
from tests.system.conftest import clean_environment
from tests.upstream.conftest import changes

# The stock toolkit's public face, as far as the work needs it.
SHARED = {'pytracking', 'pytracking.features.net_wrappers.NetWithBackbone', 'pytracking.evaluation.Sequence',
          'pytracking.tracker.dimp.get_tracker_class', 'pytracking.evaluation.Tracker',
          'pytracking.analysis.extract_results.extract_results'}


def test_the_work_uses_names_that_both_toolkits_have():
    tree = ast.parse(Path(work.__file__).read_text(encoding='utf-8'))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {f'{node.module}.{alias.name}' for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
              for alias in node.names}
    assert {name for name in names if name.split('.')[0] in ('ltr', 'pytracking')} == SHARED


def test_ratios():
    ours = {'frames': [0.1, 0.3, 0.2], 'units': [0.1], 'initialise': 2.0, 'boxes': [[0, 0, 5, 5]], 'evaluation': 1.0}
    theirs = {'frames': [0.8], 'units': [0.2], 'initialise': 4.0, 'boxes': [[0, 0.5, 5, 5]], 'evaluation': 4.0}
    found = against.ratios([ours], [theirs])
    assert found == pytest.approx({'frame': 0.25, 'frame_units': 0.5, 'first_frame': 0.5, 'ours_units': 2,
                                   'theirs_units': 4, 'apart_px': 0.5, 'evaluation': 0.25})
    del theirs['evaluation']
    lacking = against.ratios([ours], [{**theirs, 'evaluation_lacks': 'no module'}])
    assert lacking['evaluation_lacks'] == 'no module' and 'evaluation' not in lacking


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--against', 'absent'], r'no folder .*absent'),
    (['--against', '.'], 'is not a checkout of the toolkit: it has no ltr'),
    (['--against', str(REPO)], 'is this toolkit: give the folder of another one')])
def test_refused(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        benchmark.main(arguments)


def test_networks_and_devices_that_stock_lacks(pristine):
    with pytest.raises(UserError, match='the stock toolkit has no dimp_small'):
        benchmark.main(['--against', str(pristine), '--net', 'dimp_small', '--device', 'cpu'])
    with pytest.raises(UserError, match='not on mps: give --device cpu'):
        against.against(pristine, 'dimp18', 1, torch.device('mps'))


@pytest.mark.slow
def test_another_toolkit_in_the_way_is_told(tmp_path, monkeypatch):
    (tmp_path / 'pytracking').mkdir()
    (tmp_path / 'pytracking' / '__init__.py').touch()
    real = against.environment(REPO)
    monkeypatch.setattr(against, 'environment', lambda toolkit: {**real, 'PYTHONPATH': str(tmp_path)})
    task = {'threads': 1, 'folder': str(tmp_path)}
    with pytest.raises(UserError, match=f'{tmp_path} is imported in place of {REPO}'):
        against._work(REPO, task)


@pytest.mark.slow
def test_the_stand_in(pristine, tmp_path):
    """Its arithmetic is ours, so its boxes are; it has no evaluation, and nobody has set its paths."""
    path = tmp_path / 'against.json'
    result = subprocess.run(
        [sys.executable, '-m', 'pytracking.benchmark', '--against', str(pristine), '--net', 'dimp18', '--frames', '2',
         '--device', 'cpu', '--threads', '1', '--json', str(path)], cwd=tmp_path, capture_output=True, text=True,
        timeout=300, env=clean_environment(PYTHONPATH=str(REPO)))
    assert result.returncode == 0, result.stderr
    assert f'dimp18, this toolkit / {pristine}: frame ' in result.stdout
    found = json.loads(path.read_text(encoding='utf-8'))['against']['dimp18']
    assert found['checkout'] == str(pristine) and found['apart_px'] < 0.05
    assert 0.1 < found['frame'] < 10 and 0.1 < found['frame_units'] < 10 and found['theirs_units'] > 0.3
    assert 'No module named' in found['evaluation_lacks']
    assert changes(pristine) == ''


@pytest.mark.slow
def test_a_copy_of_our_own(tmp_path):
    """All parts of the comparison, evaluation, too."""
    for part in ('ltr', 'pytracking'):
        shutil.copytree(REPO / part, tmp_path / 'copy' / part, ignore=shutil.ignore_patterns('__pycache__'))
    found = against.against(tmp_path / 'copy', 'dimp18', 2, torch.device('cpu'), rounds=1)
    assert found['apart_px'] == 0 and found['frame'] > 0 and found['evaluation'] > 0
