"""Networks of the method on disk: the parent, its distilled descendants, and how to find them by name."""

from __future__ import annotations

import hashlib
import importlib
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cmd_plugin.errors import UserError
from ltr import load_network
from ltr.admin.local import EnvironmentSettings

NETWORKS = {
    'dimp50': ('ltr.models.tracking.dimpnet', 'dimpnet50', {'out_feature_dim': 512, 'clf_feat_blocks': 0}),
    'dimp18': ('ltr.models.tracking.dimpnet', 'dimpnet18', {'out_feature_dim': 256, 'clf_feat_blocks': 1}),
}
STOCK = {'filter_size': 4, 'backbone_pretrained': False, 'optim_iter': 5, 'clf_feat_norm': True, 'final_conv': True,
         'optim_init_step': 0.9, 'optim_init_reg': 0.1, 'init_gauss_sigma': 0.9, 'num_dist_bins': 100,
         'bin_displacement': 0.1, 'mask_init_factor': 3.0, 'target_mask_act': 'sigmoid', 'score_act': 'relu'}

SMALL = {'dimpnet_small': (144, 0.1)}
"""Crop side (px) and label spread (of the feature map) of networks that are not made for 288 px and 0.05."""


def _made_for(net: nn.Module) -> tuple[int, float]:
    return SMALL.get(getattr(getattr(net, 'constructor', None), 'fun_name', ''), (288, 0.05))


def crop_size(net: nn.Module) -> int:
    """Side of the crops that a network is made for, px."""
    return _made_for(net)[0]


def label_sigma(net: nn.Module) -> float:
    """Spread of the Gaussian label that a network is trained with, relative to the feature map."""
    return _made_for(net)[1]


def workspace() -> Path:
    """The folder that checkpoints lie in: given by flag, else CMD_WORKSPACE, else the toolkit's own setting."""
    flag = os.environ.get('PYTRACKING_WORKSPACE_DIR')
    return Path(flag or os.environ.get('CMD_WORKSPACE') or EnvironmentSettings().workspace_dir)


def folder_of(recipe: str, tracker: str = 'cmd_dimp') -> Path:
    """Where the trainer keeps the checkpoints of a recipe."""
    return workspace() / 'checkpoints' / 'ltr' / tracker / recipe


def newest(recipe: str) -> Path | None:
    """The last checkpoint of a recipe, or `None`."""
    found = sorted(folder_of(recipe).glob('*_ep????.pth.tar'))
    return found[-1] if found else None


def load(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Network of a checkpoint and what else it holds. Raises `UserError` when there is none to be had."""
    if not path.is_file():
        raise UserError(f'no checkpoint {path}')
    net, contents = load_network(checkpoint=str(path.resolve()))
    return net, contents


def load_parent(path: Path, net_name: str | None) -> nn.Module:
    """The network to start from.

    Args:
        path: a checkpoint, which knows its own network, or `.safetensors` of a ResNet backbone with torchvision's
            names, which goes into a new network `net_name` (the heads are then random: for trying things out).
        net_name: `dimp18` or `dimp50`; `dimp50` when `None`.

    Raises:
        UserError: no such file, or weights of another network.
    """
    if not path.is_file():
        raise UserError(f'--init: no file {path}')
    if net_name is not None and net_name not in NETWORKS:
        raise UserError(f'unknown network {net_name!r}: known: {", ".join(NETWORKS)}')
    if path.suffix == '.safetensors':
        net = new_network(net_name or 'dimp50')
        _load_backbone(net, path)
        print(f'{path} holds a backbone only: the heads start from random weights')
        return net
    net, contents = load(path)
    made_by = getattr(contents.get('constructor'), 'fun_name', None)
    if net_name is not None and made_by != NETWORKS[net_name][1]:
        raise UserError(f'{path} holds a {made_by}, not the network --net {net_name}: leave --net out or take its file')
    return net


def new_network(name: str) -> nn.Module:
    """A network with the stock arguments and random weights. Raises `UserError` for an unknown name."""
    if name not in NETWORKS:
        raise UserError(f'unknown network {name!r}: known: {", ".join(NETWORKS)}')
    module, function, arguments = NETWORKS[name]
    return getattr(importlib.import_module(module), function)(**STOCK, **arguments)


def _load_backbone(net: Any, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f'cannot read the weights {path}: {error}') from error
    own = net.feature_extractor.state_dict()
    wrong = [key for key in state if key not in own or own[key].shape != state[key].shape]
    wrong += [key for key in own if key not in state and not key.startswith(('layer4.', 'fc.'))
              and not key.endswith('num_batches_tracked')]
    if wrong:
        raise UserError(f'{path} is of another backbone: {len(wrong)} tensors differ, first {wrong[0]}')
    net.feature_extractor.load_state_dict(state, strict=False)


def save(path: Path, net: nn.Module, info: dict[str, Any]) -> None:
    """Write a checkpoint in the stock format that holds a network alone, atomically."""
    contents: dict[str, Any] = {
        'epoch': 1, 'actor_type': 'CrossModalActor', 'net_type': type(net).__name__, 'net': net.state_dict(),
        'net_info': info, 'constructor': getattr(net, 'constructor', None), 'optimizer': None, 'stats': {},
        'settings': None}
    temporary = path.with_name(f'.{path.name}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, 'wb') as file:
            torch.save(contents, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise UserError(f'cannot write {path}: {getattr(error, "strerror", None) or error}') from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def fingerprint(net: nn.Module) -> str:
    """SHA-256 of a network's weights."""
    digest = hashlib.sha256()
    for key, value in net.state_dict().items():
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def same_backbone(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two state dictionaries share the weights of the backbone, bit for bit."""
    keys = [key for key in first if key.startswith('feature_extractor.')]
    return set(first) == set(second) and all(torch.equal(first[key], second[key]) for key in keys)
