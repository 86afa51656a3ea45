"""A last layer that makes of thermal crops what the parent makes of RGB ones (content loss: Johnson et al., 2016)."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cmd_plugin.reproduce.store import BEFORE, CROPS, LAYER, Store

RATE, BATCH, SEED = 1e-4, 10, 1000


def taught(net: nn.Module, store: Store, steps: int, device: torch.device) -> nn.Module:
    """A copy of a network whose `layer3` is trained; batch-norm statistics stay, and nothing before it changes.

    The loss is the mean squared difference between features of a thermal crop and the parent's of its RGB twin; on two
    RGB crops it would be 0 from the start.

    Args:
        net: the parent.
        store: its features of both modalities.
        steps: of Adam.
        device: where to train.
    """
    made: Any = copy.deepcopy(net).to(device).eval()
    layer = getattr(made.feature_extractor, LAYER)
    made.requires_grad_(False)
    layer.requires_grad_(True)
    optimizer = torch.optim.Adam(layer.parameters(), lr=RATE)
    rng = np.random.default_rng(SEED)
    for _ in range(steps):
        rgb = rng.integers(len(store), size=BATCH) * CROPS + 2 * rng.integers(CROPS // 2, size=BATCH)
        optimizer.zero_grad()
        distance(layer, store, rgb, device).backward()
        optimizer.step()
    return made.cpu()


def distance(layer: nn.Module, store: Store, rgb: NDArray[np.integer], device: torch.device) -> Tensor:
    """The loss, a scalar with gradient to the layer; `rgb` are numbers of RGB crops, whose twins come next."""
    wanted = store.features(pictures(rgb, device), [LAYER])[LAYER]
    given = store.features(pictures(rgb + 1, device), [BEFORE])[BEFORE]
    return nn.functional.mse_loss(layer(given), wanted)


def pictures(numbers: NDArray[np.integer], device: torch.device) -> Tensor:
    """(N, 3, 1, 1): numbers in the place of pixels."""
    return torch.from_numpy(numbers).to(device, torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 1, 1)
