"""A small network and batches of random pairs."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest
import torch

from cmd_plugin import checkpoints
from cmd_plugin.actor import CrossModalActor
from cmd_plugin.recipe import CMDRecipe
from cmd_plugin.recipes import RECIPES
from ltr.models.bbreg.atom import atom_small
from ltr.models.tracking.dimpnet import dimpnet_small, klcedimpnet_small
from ltr.models.tracking.kysnet import kysnet_small
from ltr.run_training import run_training

ROWS = [(tracker, name) for tracker, recipes in RECIPES.items() for name in recipes]
TRAINED = [(tracker, name) for tracker, name in ROWS if {*RECIPES[tracker][name].components} & {'tcl', 'bbe'}]
DIMP_TRAINED = ['b1', 'b2', 'c1', 'd1', 'd2', 'd3', 'd4', 'd5', 'control']
State = dict[str, torch.Tensor]
SMALL = {'cmd_dimp': dimpnet_small, 'cmd_atom': atom_small, 'cmd_prdimp': klcedimpnet_small,
         'cmd_super_dimp': dimpnet_small, 'cmd_kys': kysnet_small}


def small_net(seed: int = 0, tracker: str = 'cmd_dimp') -> torch.nn.Module:
    torch.manual_seed(seed)
    net = SMALL[tracker]()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net


def make_batch(pairs: int = 2, seed: int = 0) -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    box = torch.tensor([58.0, 55, 30, 28]).expand(1, pairs, 4) + torch.rand(1, pairs, 4, generator=g) * 6
    proposals = box[:, :, None] + torch.rand(1, pairs, 5, 4, generator=g) * 8
    grid = torch.arange(10.0)
    label = torch.exp(-((grid[:, None] - 4.5) ** 2 + (grid - 4.5) ** 2) / 0.5).expand(1, pairs, 10, 10)
    return {'train_images': torch.randn(1, pairs, 6, 144, 144, generator=g),
            'test_images': torch.randn(1, pairs, 6, 144, 144, generator=g),
            'train_anno': box, 'test_anno': box, 'test_proposals': proposals,
            'proposal_iou': torch.rand(1, pairs, 5, generator=g), 'test_label': label,
            'proposal_density': torch.rand(1, pairs, 5, generator=g) + 0.1,
            'gt_density': torch.rand(1, pairs, 5, generator=g), 'test_label_density': label / label[0, 0].sum()}


def actor_of(recipe: CMDRecipe | str, seed: int = 0, tracker: str = 'cmd_dimp') -> CrossModalActor:
    found = RECIPES[tracker][recipe] if isinstance(recipe, str) else recipe
    student = small_net(seed, found.tracker)
    return CrossModalActor(student, copy.deepcopy(student), found)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    return make_batch()


def network_file(folder: Path, seed: int = 0, recipe: str | None = None, tracker: str = 'cmd_dimp') -> Path:
    path = folder / f'{tracker}_{recipe}_{seed}.pth.tar'
    checkpoints.save(path, small_net(seed, tracker), {} if recipe is None else {'recipe': recipe})
    return path


def make(name: str, workspace: Path, tracker: str = 'cmd_dimp', **flags) -> Path:
    """Run a recipe as the command does; two steps where it trains."""
    if RECIPES[tracker][name].components:
        flags = {'epochs': 1, 'samples': 4, 'batch': 2, 'lr_scale': 1e3, **flags}
    run_training(tracker, name, workspace=workspace, workers=0, device='cpu', **flags)
    path = checkpoints.newest(name, tracker)
    assert path is not None and path.is_relative_to(workspace)
    return path


def state_of(path: Path) -> State:
    return checkpoints.load(path)[0].state_dict()


def same(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(scope='module')
def no_settings():
    """No variable of the user reaches a test, and none that a run sets stays."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(('CMD_', 'PYTRACKING_')) and name != 'CMD_SHARED_DATA':
                patch.delenv(name)
        patch.setenv('PYTRACKING_WORKSPACE_DIR', 'nowhere')
        yield


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv('PYTRACKING_WORKSPACE_DIR', str(tmp_path / 'workspace'))
    return tmp_path / 'workspace'
