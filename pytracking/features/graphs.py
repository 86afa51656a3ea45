"""CUDA graphs: work that is the same for every frame is recorded once and replayed, without Python in between."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ltr.admin.errors import UserError

EAGER_CALLS = 2
"""Calls with inputs of one shape before it is recorded: they warm up, and first frames need no recording."""
Function = Callable[..., Sequence[Tensor]]


@dataclass(frozen=True)
class Recording:
    """Work on fixed memory: `replay` reads `inputs` and writes `outputs`."""

    replay: Callable[[], Any]
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]


class Replayed:
    """A function of tensors that is replayed from its third call with inputs of one shape on.

    Args:
        function: tensors to tensors on one CUDA device, without gradient; it never waits for the device, and does the
            same work whenever the shapes are the same.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.calls: dict[Hashable, int] = {}
        self.recordings: dict[Hashable, Recording] = {}

    def __call__(self, *inputs: Tensor) -> Sequence[Tensor]:
        """As the function. Outputs are the caller's: the next call leaves them as they are."""
        key = tuple((tuple(one.shape), one.stride(), one.dtype) for one in inputs)
        self.calls[key] = self.calls.get(key, 0) + 1
        if self.calls[key] <= EAGER_CALLS:
            return self.function(*inputs)
        if key not in self.recordings:
            self.recordings[key] = record(self.function, inputs)
        recording = self.recordings[key]
        for place, one in zip(recording.inputs, inputs, strict=True):
            place.copy_(one)
        recording.replay()
        return [one.clone() for one in recording.outputs]


def record(function: Function, inputs: Sequence[Tensor]) -> Recording:
    """Record a function as a CUDA graph.

    Raises:
        UserError: it cannot be recorded.
    """
    held = [one.clone() for one in inputs]
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream):  # libraries set themselves up outside of the recording
            function(*held)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            outputs = function(*held)
    except RuntimeError as error:
        raise UserError(f'this network cannot be recorded as a CUDA graph ({str(error).splitlines()[0]}): use --speed '
                        'fast') from error
    return Recording(graph.replay, held, list(outputs))


class ReplayedModule(nn.Module):
    """A module of one tensor, replayed; its output is a tensor or a dictionary of them.

    Args:
        module: on a CUDA device.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.by_arguments: dict[str, tuple[Replayed, list[str]]] = {}

    def forward(self, x: Tensor, *args: Any) -> Any:
        """As the module."""
        key = repr(args)
        if key not in self.by_arguments:
            self.by_arguments[key] = self._replayed(args)
        replayed, names = self.by_arguments[key]
        found = replayed(x)
        return OrderedDict(zip(names, found, strict=True)) if names else found[0]

    def _replayed(self, args: tuple[Any, ...]) -> tuple[Replayed, list[str]]:
        names: list[str] = []

        def function(x: Tensor) -> list[Tensor]:
            found = self.module(x, *args)
            if isinstance(found, Tensor):
                return [found]
            names[:] = found
            return list(found.values())
        return Replayed(function), names
