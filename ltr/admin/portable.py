"""Checkpoints without pickle: weights as `NAME.safetensors`, everything else beside it as `NAME.json`.

A pair of files says what a `.pth.tar` says, for other programs and for people who read. What only the training run
needs, its optimiser and its generators, stays behind.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ltr.admin.errors import UserError
from ltr.admin.plain import NotPlainError, decode, encode
from ltr.admin.whole import replacing

SUFFIX = '.safetensors'
FORMAT = 'tracking network'
VERSION = 1


def description_of(path: Path) -> Path:
    """The JSON file beside a weights file."""
    return path.with_suffix('.json')


def sha256(path: Path) -> str:
    """SHA-256 of a file. Raises `UserError` when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, 'rb') as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror or error}') from error
    return digest.hexdigest()


def write(path: Path, contents: Mapping[str, Any], difference_to: Mapping[str, str] | None = None) -> list[str]:
    """Write a checkpoint as a pair of files.

    Args:
        path: the weights file; the JSON goes beside it.
        contents: as of a `.pth.tar`; `net` is the state dictionary, bit for bit the one that `read` gives back.
        difference_to: marks a file that holds only those tensors that differ from its parent's; says which parent.

    Returns:
        Names of what was left out, because it is not plain data.

    Raises:
        UserError: the files cannot be written, or a tensor is of a kind that the format does not know.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save
    state = contents['net']
    left_out: list[str] = []
    plain = {}
    for key, value in contents.items():
        if key == 'net':
            continue
        try:
            plain[key] = encode(value, left_out)
        except NotPlainError:
            left_out.append(key)
    with replacing(path) as temporary:
        try:  # clones: the format takes no views and no shared memory
            data = save({key: value.detach().clone().contiguous() for key, value in state.items()})
        except (SafetensorError, ValueError, KeyError) as error:
            raise UserError(f'cannot write {path}: {_line(error)}') from error
        temporary.write_bytes(data)
    text = json.dumps({
        'format': FORMAT, 'version': VERSION,
        **({'difference_to': dict(difference_to)} if difference_to is not None else {}),
        'contents': plain, 'left_out': left_out,
        'weights': {'file': path.name, 'sha256': sha256(path), 'tensors': list(state)},
    }, indent=1, allow_nan=False)
    with replacing(description_of(path)) as temporary:
        temporary.write_text(f'{text}\n', encoding='utf-8')
    return left_out


def read(path: str | Path, difference: bool = False) -> dict[str, Any]:
    """Read a pair of files as the checkpoint that it says.

    Args:
        path: the weights file.
        difference: also take a file that holds only the difference to its parent; `difference_to` is then a key.

    Raises:
        UserError: a file is missing, damaged, or not what its neighbour says; or a difference that was not asked for.
    """
    path = Path(path)
    description = _read_description(path)
    weights = description['weights']
    found = sha256(path)
    if found != weights['sha256']:
        raise UserError(f'{path} is damaged, or not the file that {description_of(path).name} describes: SHA-256 '
                        f'{found[:12]}..., expected {weights["sha256"][:12]}...')
    state = read_weights(path)
    if sorted(state) != sorted(weights['tensors']):
        raise UserError(f'{path} holds other tensors than {description_of(path).name} lists')
    contents = dict(description['contents'])
    if 'difference_to' in description:
        parent = description['difference_to']
        if not difference:
            raise UserError(f'{path} holds only the difference to {parent.get("file", "its parent")}: make it whole '
                            'first, with convert --difference-to PARENT')
        contents['difference_to'] = parent
    contents['net'] = OrderedDict((name, state[name]) for name in weights['tensors'])
    return contents


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file. Raises `UserError` for a missing or damaged one."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    if not path.is_file():
        raise UserError(f'no weight file {path}: give the path of one')
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f'cannot read the weights {path}: truncated or corrupt ({_line(error)}): copy or download '
                        'it again') from error


def _read_description(path: Path) -> dict[str, Any]:
    """The JSON beside `path`, checked for its form; its `contents` decoded."""
    file = description_of(path)
    if not path.is_file():
        raise UserError(f'no weight file {path}: give the path of one')
    if not file.is_file():
        raise UserError(f'{path} has no {file.name} beside it, which says what network it is')
    try:
        said = json.loads(file.read_text(encoding='utf-8'))
        if (said['format'], said['version']) != (FORMAT, VERSION):
            raise ValueError(f'format {said["format"]!r}, version {said["version"]!r}')
        weights, contents = said['weights'], said['contents']
        if not (isinstance(weights['sha256'], str) and all(isinstance(name, str) for name in weights['tensors'])
                and isinstance(contents, dict) and isinstance(said.get('difference_to', {}), dict)):
            raise TypeError('a value of the wrong kind')
        return {**said, 'contents': {key: decode(value) for key, value in contents.items()}}
    except OSError as error:
        raise UserError(f'cannot read {file}: {error.strerror or error}') from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f'{file} does not describe a network ({type(error).__name__}: {_line(error)}): copy it '
                        'again, or convert the checkpoint anew') from error


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
