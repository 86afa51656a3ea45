"""What a checkpoint is, in lines for people. Nothing is built, and nothing of the file is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from cmd_plugin.convert.converting import read
from cmd_plugin.errors import UserError
from ltr.admin import portable
from ltr.admin.model_constructor import NetConstructor

STATISTICS = ('running_mean', 'running_var', 'num_batches_tracked')
LONGEST = 160


def describe(path: Path) -> list[str]:
    """Network, constructor, epoch, weights, recipe, teacher and settings of a checkpoint.

    Args:
        path: `.pth.tar`, a bare state dictionary, or `.safetensors` with or without its `.json`.

    Raises:
        UserError: no such file, a damaged or unsafe one, or one that holds no weights.
    """
    if path.suffix == portable.SUFFIX and not portable.description_of(path).is_file():
        contents: dict[str, Any] = {'net': portable.read_weights(path)}
    else:
        contents = read(path)
    state = contents.get('net', contents)
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f'{path} holds no weights of a network')
    if state is contents:
        contents = {}
    lines = [_line('file', f'{path} ({path.stat().st_size / 1e6:.1f} MB)'),
             _line('network', contents.get('net_type')), _line('constructor', _constructor(contents)),
             _line('epoch', contents.get('epoch')), _line('weights', _weights(state))]
    if 'difference_to' in contents:
        lines.append(_line('difference to', _value(contents['difference_to'])))
    return lines + _record(contents.get('net_info')) + _settings(contents.get('settings'))


def _constructor(contents: Mapping[str, Any]) -> str | None:
    made = contents.get('constructor')
    if not isinstance(made, NetConstructor):
        return None
    arguments = [_value(value) for value in made.args] + [f'{name}={_value(value)}' for name, value in
                                                          made.kwds.items()]
    call = f'{made.fun_module}.{made.fun_name}({", ".join(arguments)})'
    try:
        made.function()
    except UserError:
        return f'{call}: REFUSED, not a registered network'
    return call


def _weights(state: Mapping[str, Tensor]) -> str:
    """Learned numbers, without the statistics of batch norm."""
    learned = sum(value.numel() for name, value in state.items() if not name.endswith(STATISTICS))
    kinds = sorted({str(value.dtype).removeprefix('torch.') for value in state.values()})
    return f'{learned:,} in {len(state)} tensors ({", ".join(kinds)})'


def _record(info: Any) -> list[str]:
    """`net_info`: recipe and teacher first; of files that have none, that they have none."""
    if not isinstance(info, Mapping):
        info = {}
    rest = {name: value for name, value in info.items() if name not in ('recipe', 'teacher')}
    return [_line('recipe', info.get('recipe')), _line('teacher', info.get('teacher')),
            *(_line(str(name), _value(value)) for name, value in rest.items())]


def _settings(settings: Any) -> list[str]:
    said = {name: value for name, value in getattr(settings, '__dict__', {}).items()
            if value is not None and value != '' and name != 'env'}
    return [_line('settings', None if not said else ''),
            *(f'  {_clean(name)} = {_value(value)}' for name, value in sorted(said.items()))]


def _line(name: str, value: Any) -> str:
    return f'{_clean(name):<14}{"not recorded" if value is None else _clean(value)}'.rstrip()


def _value(value: Any) -> str:
    text = _clean(repr(value))
    return text if len(text) <= LONGEST else f'{text[:LONGEST]}...'


def _clean(value: Any) -> str:
    """Text without control characters: a file must not steer the terminal of who looks at it."""
    return ''.join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in str(value))
