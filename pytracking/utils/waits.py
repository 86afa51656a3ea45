"""Counts where the host would wait for the device, also on a machine that has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

CALLS = ('cpu', 'tolist', 'tensor', 'as_tensor', 'new_tensor')
"""Functions of torch that copy between host and device, and wait for it."""
OPERATIONS = ('aten::_local_scalar_dense', 'aten::nonzero', 'aten::masked_select', 'aten::equal', 'aten::_unique2')
"""Operations whose result the host has to know: `item()` and `bool()` are made of the first one."""


@contextmanager
def count_waits() -> Iterator[Counter[str]]:
    """Count, by name, what would wait for a GPU.

    These are copies from it (`cpu`), copies to it that are not asynchronous (`to`, and tensors made of numbers of the
    host, the number in `torch.where(condition, tensor, number)` among them), and operations whose result the host has
    to know, such as indexing by a mask.
    """
    counted: Counter[str] = Counter()
    with _Calls(counted), _Operations(counted):
        yield counted


class _Calls(TorchFunctionMode):
    def __init__(self, counted: Counter[str]) -> None:
        super().__init__()
        self.counted = counted

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, '__name__', '')
        moves = name == 'to' and _names_device([*args[1:2], *kwargs.values()])
        if name in CALLS or (moves and not kwargs.get('non_blocking', False)):
            self.counted[name] += 1
        return func(*args, **kwargs)


def _names_device(arguments: list[Any]) -> bool:
    return any(isinstance(one, (str, torch.device, Tensor)) for one in arguments)


class _Operations(TorchDispatchMode):
    def __init__(self, counted: Counter[str]) -> None:
        super().__init__()
        self.counted = counted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        masks = name == 'aten::index' and any(isinstance(i, Tensor) and i.dtype in (torch.bool, torch.uint8)
                                              for i in args[1])
        copies = name == 'aten::where' and len({one.dim() == 0 for one in args}) == 2
        if name in OPERATIONS or masks or copies:
            self.counted[name] += 1
        return func(*args, **(kwargs or {}))
