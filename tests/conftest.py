"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

# The networks here are tiny: on shared cores, threads that wait for one another make them many times slower.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import pytest

# Shells start background jobs with SIGINT ignored, and children inherit that: tests of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPO = Path(__file__).resolve().parents[1]
GOLDEN = REPO / 'tests' / 'parity' / 'data'


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Folder of real pairs and sequences; the test is skipped, with the reason, where it is absent."""
    folder = Path(os.environ.get('CMD_SHARED_DATA', REPO.parent / 'shared' / 'data'))
    if not folder.is_dir():
        pytest.skip(f'real data not found in {folder} (set CMD_SHARED_DATA)')
    return folder


@pytest.fixture(scope='session')
def golden():
    """Loader of the golden numbers: `golden('networks')` is the opened `networks.npz`."""
    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(GOLDEN / f'{name}.npz') as archive:
            return {key: archive[key] for key in archive.files}
    return load


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope='session')
def world_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six generated RGB-TIR pairs."""
    from cmd_plugin.world import write_pairs
    return write_pairs(tmp_path_factory.mktemp('world') / 'pairs', pairs=6, progress=False)


@pytest.fixture(scope='session')
def world_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generated, labelled RGB sequences of twenty frames."""
    from cmd_plugin.world import write_video
    return write_video(tmp_path_factory.mktemp('world') / 'rgb', 'rgb', sequences=2, length=20, progress=False)
