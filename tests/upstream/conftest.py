"""The stand-in checkout, networks and videos for it, and processes that use it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cmd_plugin.upstream import command
from tests.conftest import REPO
from tests.system.conftest import Result, clean_environment
from tests.upstream.standin.build import build, git, set_paths


@pytest.fixture(scope='session')
def pristine(tmp_path_factory) -> Path:
    """The stand-in, on which nobody has set a path."""
    return build(tmp_path_factory.mktemp('standin') / 'stock')


@pytest.fixture
def checkout(pristine, tmp_path) -> Path:
    """A clone of the stand-in whose user has written both files of paths; the workspace is `ws`."""
    folder = tmp_path / 'stock'
    git(pristine, 'clone', '-q', str(pristine), str(folder))
    set_paths(folder, tmp_path / 'ws')
    return folder


@pytest.fixture(scope='session')
def small_network(tmp_path_factory) -> Path:
    """A parent of random weights, made by our toolkit."""
    from tests.distilling.conftest import network_file
    return network_file(tmp_path_factory.mktemp('networks'))


@pytest.fixture(scope='session')
def distilled_dimp18(tmp_path_factory) -> Path:
    """A ResNet-18 network of random weights that says it is a d3."""
    import torch

    from cmd_plugin import checkpoints
    from ltr.models.tracking.dimpnet import dimpnet18
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('networks') / 'd3.pth.tar'
    checkpoints.save(path, dimpnet18(filter_size=4, backbone_pretrained=False),
                     {'recipe': 'd3', 'tracker': 'cmd_dimp', 'crop_size': 288})
    return path


@pytest.fixture(scope='session')
def thermal(tmp_path_factory) -> Path:
    """Two sequences of three frames in the layout of LSOTB-TIR, from the third frame of one on without a target."""
    import cv2
    import numpy as np
    root = tmp_path_factory.mktemp('lsotb')
    rng = np.random.default_rng(0)
    for name in ('cat_S_001', 'dog_V_002'):
        (root / name / 'img').mkdir(parents=True)
        for frame in (1, 2, 10):
            image = rng.integers(60, 90, (120, 160), dtype=np.uint8)
            image[40:70, 60 + frame:90 + frame] += 100
            cv2.imwrite(str(root / name / 'img' / f'{frame}.png'), image)
        (root / name / 'groundtruth_rect.txt').write_text('61,40,30,30\n62\t40\t30\t30\n70 40 30 30\n')
    return root


Run = Callable[..., Result]


@pytest.fixture
def upstream(checkout, tmp_path) -> Run:
    """`python -m cmd_plugin --upstream CHECKOUT ...` from a folder that is neither ours nor the checkout."""
    def run(*arguments: object, **variables: str) -> Result:
        return subprocess.run([sys.executable, '-m', 'cmd_plugin', '--upstream', str(checkout), *map(str, arguments)],
                              cwd=tmp_path, capture_output=True, text=True, timeout=600,
                              env=clean_environment(PYTHONPATH=str(REPO), **variables))
    return run


@pytest.fixture
def active(checkout, tmp_path) -> Run:
    """A script of the test's own, in a process that uses the checkout."""
    def run(code: str, **variables: str) -> Result:
        environment = {**clean_environment(**variables), **_added(checkout)}
        environment['PYTHONPATH'] += os.pathsep + str(REPO)
        return subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True, timeout=600,
                              env=environment)
    return run


def _added(checkout: Path) -> dict[str, str]:
    made = command.environment_for(checkout)
    return {name: value for name, value in made.items()
            if name in ('CMD_UPSTREAM', 'PYTHONPATH', 'PYTHONDONTWRITEBYTECODE')}


def changes(checkout: Path) -> str:
    """What git sees that was not committed, files that it does not ignore included."""
    return git(checkout, 'status', '--porcelain', '--untracked-files=all')
