"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

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
