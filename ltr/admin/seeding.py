"""Everything random from one number.

An epoch begins with all generators set from (seed, epoch), and what a sample draws depends on its place in the epoch.
So an epoch depends on nothing but weights, optimiser, scheduler, seed and epoch number: not on the number of loader
workers or of processes. A run that is killed and started again repeats the interrupted epoch exactly.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def derive_seed(*numbers: int) -> int:
    """A well mixed seed below 2**63 from some non-negative numbers, such as (seed, epoch, worker)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seed_everything(seed: int, epoch: int = 0) -> None:
    """Seed Python, numpy and torch (all devices) from (seed, epoch)."""
    mixed = derive_seed(seed, epoch)
    random.seed(mixed)
    np.random.seed(mixed % 2**32)
    torch.manual_seed(mixed)


def loader_generator(seed: int, epoch: int, index: int) -> torch.Generator:
    """Generator for the loader number `index` in `epoch`: its samples are seeded from it."""
    generator = torch.Generator()
    generator.manual_seed(derive_seed(seed, epoch, index + 1))
    return generator


@contextmanager
def drawing(seed: int) -> Iterator[None]:
    """Seed Python, numpy and torch's CPU generator for the length of a block; then all go on as if it had not been."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


def capture_rng() -> dict[str, Any]:
    """State of all generators as plain data and tensors, fit for a checkpoint."""
    version, words, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    state: dict[str, Any] = {
        'python': {'version': version, 'words': list(words), 'gauss': gauss},
        'numpy': {'keys': [int(key) for key in keys], 'position': int(position),
                  'has_gauss': int(has_gauss), 'cached': float(cached)},
        'torch': torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state_all()
    return state


def restore_rng(state: dict[str, Any]) -> None:
    """Set all generators to what `capture_rng` gave; CUDA only where the number of devices is the same."""
    python, legacy = state['python'], state['numpy']
    random.setstate((python['version'], tuple(python['words']), python['gauss']))
    np.random.set_state(('MT19937', np.array(legacy['keys'], np.uint32), legacy['position'],
                         legacy['has_gauss'], legacy['cached']))
    torch.set_rng_state(state['torch'])
    if torch.cuda.is_available() and len(state.get('cuda', ())) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state['cuda'])
