"""A step that stops a run is kept as data, batch and weights, and can be made again alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.admin.whole import write_whole
from ltr.tensors import TensorDict

WEIGHTS, GENERATOR, NOTHING = 'net.', 'generator', ('epoch', 'settings')


def keep(path: Path, batch: Mapping[str, Any], state: Mapping[str, Tensor], generator: Tensor,
         told: Mapping[str, Any]) -> None:
    """Write a step as one `.safetensors` file, whose header says what is no tensor.

    Args:
        path: the file.
        batch: what the actor was given; tensors, and lists and mappings of them, text and numbers.
        state: weights before the step.
        generator: state of torch's generator before the step.
        told: plain facts, such as `epoch` and `step`.

    Raises:
        UserError: it cannot be written.
    """
    from safetensors.torch import save
    tensors = {f'{WEIGHTS}{name}': value for name, value in state.items()}
    tensors[GENERATOR] = generator
    parts = _take_apart({key: value for key, value in batch.items() if key not in NOTHING}, 'batch', tensors)
    header = json.dumps({**told, 'batch': parts})
    write_whole(path, save({name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()},
                           {'step': header}))


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor], Tensor, dict[str, Any]]:
    """Batch, weights, state of torch's generator, and facts of a kept step.

    Raises:
        UserError: no such file, or another one.
    """
    from safetensors import SafetensorError, safe_open
    if not path.is_file():
        raise UserError(f'no kept batch {path}')
    try:
        with safe_open(path, 'pt') as file:
            told = json.loads((file.metadata() or {})['step'])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        batch = _put_together(told.pop('batch'), tensors)
        state = {name.removeprefix(WEIGHTS): value for name, value in tensors.items() if name.startswith(WEIGHTS)}
        return batch, state, tensors[GENERATOR], told
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f'{path} is no kept batch, or a damaged one ({type(error).__name__}: {str(error)[:100]})'
                        ) from error


def files_of(batch: Mapping[str, Any]) -> list[str]:
    """Image files that a batch was made of; empty where its samples do not say (`files`, one line a file)."""
    given = batch.get('files') or ()
    return list(dict.fromkeys(name for sample in given if isinstance(sample, str) for name in sample.splitlines()))


def _take_apart(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """`value` as JSON has it, its tensors put into `tensors` and named."""
    if isinstance(value, Tensor):
        tensors[name] = value
        return {'tensor': name}
    if isinstance(value, Mapping):
        return {'mapping': {str(key): _take_apart(item, f'{name}.{key}', tensors) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_take_apart(item, f'{name}.{index}', tensors) for index, item in enumerate(value)]
    return value if value is None or isinstance(value, (bool, int, float, str)) else {'left_out': type(value).__name__}


def _put_together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_put_together(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if 'tensor' in value:
        return tensors[value['tensor']]
    return TensorDict((key, _put_together(item, tensors)) for key, item in value.get('mapping', {}).items())


def norm(gradients: list[Tensor]) -> float:
    """Norm of all gradients together; 0 without any."""
    if not gradients:
        return 0.0
    return float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients])))
