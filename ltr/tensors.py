"""Containers of tensors with the algebra that trackers and trainers use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class TensorDict(OrderedDict[str, Any]):
    """Ordered dictionary of tensors (or anything else) whose tensor methods act on every value.

    `d.to(device)`, `d.cpu()`, `d.detach()` return a new `TensorDict`; values that lack the method are kept as they
    are. `d.concat(other)` joins values along the first axis.
    """

    def concat(self, other: TensorDict) -> TensorDict:
        """Join two dictionaries with equal keys along the first axis of their tensors."""
        return TensorDict((key, torch.cat((value, other[key]), dim=0)) for key, value in self.items())

    def copy(self) -> TensorDict:
        """Shallow copy."""
        return TensorDict(self.items())

    def __getattr__(self, name: str) -> Callable[..., TensorDict]:
        if name.startswith('_') or not hasattr(torch.Tensor, name):
            raise AttributeError(f'TensorDict has no attribute {name!r}')

        def on_each(*args: Any, **kwargs: Any) -> TensorDict:
            return TensorDict((key, getattr(value, name)(*args, **kwargs) if hasattr(value, name) else value)
                              for key, value in self.items())
        return on_each


class TensorList(list[Any]):
    """List of tensors with element-wise arithmetic against a scalar, a tensor or another list of equal length.

    Tensor methods are applied to every element: `TensorList([a, b]).sum()` is `TensorList([a.sum(), b.sum()])`.
    Gradient flows wherever the elements carry it.
    """

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(items)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return TensorList(super().__getitem__(key))
        if isinstance(key, (list, tuple)):
            return TensorList(super(TensorList, self).__getitem__(index) for index in key)
        return super().__getitem__(key)

    def _paired(self, other: Any) -> Iterable[tuple[Any, Any]]:
        if isinstance(other, (TensorList, list, tuple)):
            if len(other) != len(self):
                raise ValueError(f'lists of {len(self)} and {len(other)} tensors cannot be combined')
            return zip(self, other, strict=True)
        return ((item, other) for item in self)

    def __add__(self, other: Any) -> TensorList:
        return TensorList(a + b for a, b in self._paired(other))

    def __radd__(self, other: Any) -> TensorList:
        return TensorList(b + a for a, b in self._paired(other))

    def __iadd__(self, other: Any) -> TensorList:
        self[:] = self + other
        return self

    def __sub__(self, other: Any) -> TensorList:
        return TensorList(a - b for a, b in self._paired(other))

    def __rsub__(self, other: Any) -> TensorList:
        return TensorList(b - a for a, b in self._paired(other))

    def __mul__(self, other: Any) -> TensorList:
        return TensorList(a * b for a, b in self._paired(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> TensorList:
        return TensorList(a / b for a, b in self._paired(other))

    def __rtruediv__(self, other: Any) -> TensorList:
        return TensorList(b / a for a, b in self._paired(other))

    def __matmul__(self, other: Any) -> TensorList:
        return TensorList(a @ b for a, b in self._paired(other))

    def __neg__(self) -> TensorList:
        return TensorList(-a for a in self)

    def concat(self, other: Iterable[Any]) -> TensorList:
        """The elements of both lists, one after the other (`+` is arithmetic)."""
        return TensorList([*self, *other])

    def apply(self, function: Callable[[Any], Any]) -> TensorList:
        """`function` of every element."""
        return TensorList(function(item) for item in self)

    def list(self) -> list[Tensor]:
        """Plain list of the elements."""
        return list(self)

    def __getattr__(self, name: str) -> Callable[..., TensorList]:
        if name.startswith('_') or not hasattr(torch.Tensor, name):
            raise AttributeError(f'TensorList has no attribute {name!r}')

        def on_each(*args: Any, **kwargs: Any) -> TensorList:
            return TensorList(getattr(item, name)(*args, **kwargs) for item in self)
        return on_each
