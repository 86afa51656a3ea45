"""What a checkpoint says beside its weights, as JSON and back: nothing is rounded, tuples stay tuples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ltr.admin.model_constructor import NetConstructor
from ltr.admin.settings import Settings
from ltr.admin.stats import AverageMeter, StatValue

CLASSES = {kind.__name__: kind for kind in (NetConstructor, Settings, AverageMeter, StatValue)}
"""The only classes that JSON may name."""
CLASS, TUPLE, FLOAT, PAIRS = '$class', '$tuple', '$float', '$pairs'


class NotPlainError(TypeError):
    """A value that is not plain data, such as a tensor."""


def encode(value: Any, left_out: list[str] | None = None) -> Any:
    """`value` as JSON has it.

    Numbers, strings, lists and dictionaries with plain keys stand for themselves. What JSON lacks is a dictionary with
    one `$` key: tuples, infinities, dictionaries with other keys, and objects of `CLASSES`. Numpy's numbers become
    Python's, its arrays lists; ordered dictionaries become dictionaries.

    Args:
        value: plain data and objects of `CLASSES`.
        left_out: gets the names of attributes of `Settings` that are not plain, which are left out; `env` is left out
            without a word, since it means nothing on another machine.

    Raises:
        NotPlainError: anything else.
    """
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {FLOAT: str(value)}
    if isinstance(value, list):
        return [encode(item, left_out) for item in value]
    if isinstance(value, tuple):
        return {TUPLE: [encode(item, left_out) for item in value]}
    if isinstance(value, Mapping):
        return _encode_mapping(value, left_out)
    if type(value) is CLASSES.get(type(value).__name__):
        return {CLASS: type(value).__name__, **_encode_state(value, left_out)}
    raise NotPlainError(type(value).__name__)


def decode(value: Any) -> Any:
    """The opposite of `encode`. Raises `ValueError` or `TypeError` for what `encode` never writes."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    special = next((key for key in value if key.startswith('$')), None)
    if special is None:
        return {key: decode(item) for key, item in value.items()}
    if special == CLASS:
        return _decode_object(value)
    content, = value.values()
    if special == FLOAT and content in ('inf', '-inf', 'nan'):
        return float(content)
    if special == TUPLE and isinstance(content, list):
        return tuple(decode(item) for item in content)
    if special == PAIRS:
        return {decode(key): decode(item) for key, item in content}
    raise ValueError(f'unknown {special}')


def _encode_mapping(value: Mapping[Any, Any], left_out: list[str] | None) -> dict[str, Any]:
    if all(isinstance(key, str) and not key.startswith('$') for key in value):
        return {key: encode(item, left_out) for key, item in value.items()}
    return {PAIRS: [[encode(key, left_out), encode(item, left_out)] for key, item in value.items()]}


def _encode_state(value: Any, left_out: list[str] | None) -> dict[str, Any]:
    if not isinstance(value, Settings) or left_out is None:
        return _encode_mapping(vars(value), None)
    state = {}
    for name, item in vars(value).items():
        if name == 'env':
            continue
        try:
            state[name] = encode(item)
        except NotPlainError:
            left_out.append(f'settings.{name}')
    return state


def _decode_object(value: dict[str, Any]) -> Any:
    kind = CLASSES.get(value[CLASS])
    if kind is None:
        raise ValueError(f'unknown class {value[CLASS]!r}')
    state = {name: decode(item) for name, item in value.items() if name != CLASS}
    if kind is NetConstructor:
        return NetConstructor(**state)
    made = kind.__new__(kind)
    vars(made).update(state)
    return made
