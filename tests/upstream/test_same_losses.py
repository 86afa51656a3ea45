"""The same training on our toolkit and on the stand-in: numerical parity is the key requirement."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import GOLDEN, REPO
from tests.system.conftest import clean_environment

RATE = 'bbe=1e-4,tcl=1e-4'
# A training script, run so that the loss of every step is told.
DRIVER = """
import json, runpy, sys
import cmd_plugin.actor as actor
losses, call = [], actor.CrossModalActor.__call__
def telling(self, data):
    loss, stats = call(self, data)
    losses.append(loss.item())
    return loss, stats
actor.CrossModalActor.__call__ = telling
script, sys.argv = sys.argv[1], sys.argv[1:]
try:
    runpy.run_path(script, run_name='__main__')
except SystemExit as ended:
    assert not ended.code, ended.code
import ltr
print('LOSSES', json.dumps([losses, ltr.__path__[0]]))
"""
# One step as in tests/parity/test_training.py, by the toolkit that the process uses.
GOLDEN_STEP = """
import importlib.util, json, sys
import numpy as np, torch
import ltr
from ltr.actors import DiMPActor
from ltr.models.loss.target_classification import LBHinge
spec = importlib.util.spec_from_file_location('named_weights', {named!r})
named = importlib.util.module_from_spec(spec); spec.loader.exec_module(named)
numbers = np.load({golden!r})
net = named.stock_dimp('dimp18')
net.feature_extractor.requires_grad_(False)
data = {{'train_images': named.x('train_imgs', (2, 2, 3, 288, 288))[:1],
        'test_images': named.x('test_imgs', (1, 2, 3, 288, 288)),
        'train_anno': torch.tensor([[[110., 105, 60, 70], [120, 98, 52, 80]]]),
        'test_anno': torch.tensor([[[112., 100, 58, 74], [95, 112, 70, 60]]]), 'test_proposals': named.PROPOSALS,
        'proposal_iou': torch.from_numpy(numbers['proposal_iou']),
        'test_label': torch.from_numpy(numbers['test_label'])}}
actor = DiMPActor(net, {{'iou': torch.nn.MSELoss(), 'test_clf': LBHinge(torch.nn.MSELoss(), 0.05)}},
                  {{'iou': 1, 'test_clf': 100, 'test_init_clf': 100, 'test_iter_clf': 400}})
loss, stats = actor(data)
loss.backward()
modules = dict(net.classifier.named_children()) | dict(net.bb_regressor.named_children())
squares = {{name: [p.grad.square().sum() for p in module.parameters() if p.grad is not None]
           for name, module in modules.items()}}
grads = {{name: torch.stack(parts).sum().sqrt().item() for name, parts in squares.items() if parts}}
print('STEP', json.dumps([loss.item(), stats, grads, ltr.__path__[0]]))
"""


def told(output: str, word: str):
    return json.loads(next(line for line in output.splitlines() if line.startswith(word)).removeprefix(word))


def steps(tmp_path, toolkit, network, pairs, count, extra) -> tuple[list[float], str]:
    """Losses of the first steps of d3, at a test rate of 1e-4, and the toolkit that was used."""
    variables = {'CMD_DATA': str(pairs), 'CMD_INIT': str(network), 'CMD_LR': RATE, 'CMD_EPOCHS': '1',
                 'CMD_SAMPLES': str(count * 2), 'CMD_BATCH': '2', 'CMD_WORKERS': '0', 'CMD_DEVICE': 'cpu',
                 'CMD_SEED': '3', 'PYTRACKING_WORKSPACE_DIR': str(tmp_path / f'of_{toolkit.name}')}
    result = subprocess.run([sys.executable, '-c', DRIVER, str(toolkit / 'ltr' / 'run_training.py'), 'cmd_dimp', 'd3'],
                            cwd=tmp_path, capture_output=True, text=True, timeout=900,
                            env={**clean_environment(**variables), **extra})
    assert result.returncode == 0, result.stderr
    return told(result.stdout, 'LOSSES')


def both(tmp_path, checkout, network, pairs, count):
    from tests.upstream.conftest import _added
    extra = _added(checkout)
    theirs, their_ltr = steps(tmp_path, checkout, network, pairs, count, extra)
    ours, our_ltr = steps(tmp_path, REPO, network, pairs, count, {'PYTHONPATH': str(REPO)})
    assert their_ltr == str(checkout / 'ltr') and our_ltr == str(REPO / 'ltr')
    return np.array(ours), np.array(theirs)


@pytest.mark.slow
def test_twenty_steps_of_a_small_network(tmp_path, checkout, small_network, world_pairs):
    ours, theirs = both(tmp_path, checkout, small_network, world_pairs, 20)
    assert len(ours) == len(theirs) == 20 and ours.std() > 0.01 * ours.mean()
    np.testing.assert_allclose(theirs, ours, rtol=1e-4)


@pytest.mark.slow
def test_five_steps_of_dimp18(tmp_path, checkout, distilled_dimp18, world_pairs):
    ours, theirs = both(tmp_path, checkout, distilled_dimp18, world_pairs, 5)
    assert len(ours) == len(theirs) == 5
    np.testing.assert_allclose(theirs, ours, rtol=1e-4)


@pytest.mark.slow
def test_the_golden_training_step_holds_on_the_stand_in(active, checkout, golden):
    """`tests/parity` holds the same numbers against our own toolkit."""
    numbers = golden('training')
    result = active(GOLDEN_STEP.format(named=str(REPO / 'tests' / 'parity' / 'named_weights.py'),
                                       golden=str(GOLDEN / 'training.npz')))
    assert result.returncode == 0, result.stderr
    loss, stats, gradients, place = told(result.stdout, 'STEP')
    assert place == str(checkout / 'ltr')
    assert loss == pytest.approx(float(numbers['dimp18/loss']), rel=2e-3)
    known = {key.rpartition('/stats/')[2]: float(value) for key, value in numbers.items() if 'dimp18/stats/' in key}
    assert set(known) == set(stats)
    for key, value in known.items():
        assert stats[key] == pytest.approx(value, rel=2e-3), key
    norms = {key.rpartition('/')[2]: float(value) for key, value in numbers.items() if 'dimp18/grad_norm/' in key}
    assert norms and all(gradients[key] == pytest.approx(value, rel=1e-2) for key, value in norms.items())
