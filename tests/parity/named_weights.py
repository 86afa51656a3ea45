"""Weights and inputs made from names, as the golden numbers define them."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor, nn


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def fill(net: nn.Module) -> nn.Module:
    """Give every entry of the state dict its value; the filter optimiser keeps the constructor's."""
    state = net.state_dict()
    for key, value in state.items():
        if key.startswith('classifier.filter_optimizer.'):
            continue
        rng, shape = _rng(key), tuple(value.shape)
        if key.endswith('num_batches_tracked'):
            number = np.zeros(shape)
        elif key.endswith('running_mean'):
            number = 0.1 * rng.standard_normal(shape)
        elif key.endswith('running_var'):
            number = rng.uniform(0.5, 1.5, shape)
        elif key.endswith('bias'):
            number = 0.05 * rng.standard_normal(shape)
        elif len(shape) >= 2:
            number = rng.standard_normal(shape) * np.sqrt(1 / np.prod(shape[1:]))
        else:
            number = 1 + 0.1 * rng.standard_normal(shape)
        state[key] = torch.as_tensor(np.asarray(number)).to(value.dtype)
    net.load_state_dict(state)
    return net.eval()


def x(name: str, shape: tuple[int, ...], low: float | None = None, high: float | None = None) -> Tensor:
    """Input named `name`: standard normal, or uniform between `low` and `high`."""
    rng = _rng(name)
    values = rng.standard_normal(shape) if low is None else rng.uniform(low, high, shape)
    return torch.as_tensor(values.astype(np.float32))


TRAIN_BOXES = torch.tensor([[[110., 105, 60, 70], [120, 98, 52, 80]], [[100, 110, 66, 64], [115, 100, 58, 77]]])
PROPOSALS = torch.tensor([[[[100., 100, 60, 70], [130, 95, 40, 90], [110, 110, 70, 60]],
                           [[112, 108, 50, 75], [90, 90, 100, 90], [140, 130, 30, 40]]]])
STOCK = {'filter_size': 4, 'optim_iter': 5, 'clf_feat_norm': True, 'final_conv': True, 'optim_init_step': 0.9,
         'optim_init_reg': 0.1, 'init_gauss_sigma': 0.9, 'num_dist_bins': 100, 'bin_displacement': 0.1,
         'mask_init_factor': 3.0, 'target_mask_act': 'sigmoid', 'score_act': 'relu', 'backbone_pretrained': False}


def stock_dimp(name: str) -> nn.Module:
    """`dimp18` or `dimp50` with the stock arguments, on named weights, in eval mode."""
    from ltr.models.tracking import dimpnet
    constructor = {'dimp18': dimpnet.dimpnet18, 'dimp50': dimpnet.dimpnet50}[name]
    return fill(constructor(**STOCK))


def stock_atom(name: str) -> nn.Module:
    """`atom18` or `atom50` with the stock arguments, on named weights, in eval mode."""
    from ltr.models.bbreg import atom
    constructor = {'atom18': atom.atom_resnet18, 'atom50': atom.atom_resnet50}[name]
    return fill(constructor(backbone_pretrained=False))
