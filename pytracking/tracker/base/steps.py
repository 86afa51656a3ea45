"""Trackers that ask for the network's work instead of doing it, so that several of them can share it.

A tracker that offers this has a generator `steps(image, info)` beside `track(image, info)`: it yields a `Request`
wherever the network has to compute, is sent the outcome, and returns what `track` returns. `finish` does one tracker's
work at once, which is `track`; `advance` does that of many trackers together, one frame of each.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

Steps = Generator['Request', Any, Any]


@dataclass(frozen=True)
class Request:
    """Work that is to be done.

    Attributes:
        kind: requests of equal kind may be done together.
        inputs: whatever the work takes.
        alone: inputs to outcome.
        together: list of inputs to list of outcomes, equal to those of `alone` up to rounding; `None`: one by one.
            Where it fails, `alone` is tried for each.
    """

    kind: Hashable
    inputs: Any
    alone: Callable[[Any], Any] = field(compare=False)
    together: Callable[[list[Any]], list[Any]] | None = field(compare=False, default=None)


def offers_steps(tracker_class: type) -> bool:
    """Whether trackers of a class can be run in steps: one that changes `track` alone cannot."""
    return _redefined_with(tracker_class, 'steps', 'track')


def request(tracker: Any, method: str, inputs: Any, key: Hashable) -> Request:
    """A method of one argument as work, which trackers with the same `key` share (see `together`)."""
    def of_all(pairs: list[Any]) -> list[Any]:
        trackers, arguments = zip(*pairs, strict=True)
        return together(list(trackers), method, list(arguments))
    return Request((method, key), (tracker, inputs), lambda pair: getattr(tracker, method)(pair[1]), of_all)


def together(trackers: list[Any], method: str, inputs: list[Any]) -> list[Any]:
    """A method of one argument, of trackers of one class, each with its input.

    The static method `METHOD_together(trackers, inputs)` does it at once, if there is one. Where a subclass redefines
    METHOD and not that, METHOD is called for one after the other.
    """
    joint = method + '_together'
    if _redefined_with(type(trackers[0]), joint, method):
        return getattr(trackers[0], joint)(trackers, inputs)
    return [getattr(tracker, method)(one) for tracker, one in zip(trackers, inputs, strict=True)]


def _redefined_with(cls: type, name: str, other: str) -> bool:
    """Whether `cls` has `name`, defined by the class that defines `other` or below."""
    owner, reference = (next((base for base in cls.__mro__ if n in vars(base)), None) for n in (name, other))
    return owner is not None and reference is not None and issubclass(owner, reference)


@torch.no_grad()
def finish(steps: Steps) -> Any:
    """Do the work of one generator as it asks for it; returns what it returns."""
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send(wanted.alone(wanted.inputs))
    except StopIteration as end:
        return end.value


@torch.no_grad()
def advance(many: Sequence[Steps]) -> list[Any]:
    """Do the work of many generators, together where kinds are equal.

    Args:
        many: generators that have not begun.

    Returns:
        What each returns, or the exception that it raised; one's failure does not touch the others.
    """
    outcomes: list[Any] = [None] * len(many)
    answers: dict[int, Any] = dict.fromkeys(range(len(many)))
    while answers:
        waiting: dict[int, Request] = {}
        for index, answer in answers.items():
            try:
                steps = many[index]
                waiting[index] = steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer)
            except StopIteration as end:
                outcomes[index] = end.value
            except Exception as error:
                outcomes[index] = error
        answers = _answers(waiting)
    return outcomes


def _answers(waiting: dict[int, Request]) -> dict[int, Any]:
    """Outcome of every request, or the exception that it ended in."""
    groups: dict[Hashable, list[int]] = {}
    for index, wanted in waiting.items():
        groups.setdefault(wanted.kind, []).append(index)
    answers: dict[int, Any] = {}
    for indices in groups.values():
        answers.update(zip(indices, _done([waiting[index] for index in indices]), strict=True))
    return answers


def _done(group: list[Request]) -> list[Any]:
    together = group[0].together
    if together is None or len(group) == 1:
        return [_alone(wanted) for wanted in group]
    try:
        return together([wanted.inputs for wanted in group])
    except Exception:
        outcomes = [_alone(wanted) for wanted in group]
        if any(isinstance(outcome, Exception) for outcome in outcomes):
            return outcomes  # the input of some of them is bad: the others go on
        raise


def _alone(wanted: Request) -> Any:
    try:
        return wanted.alone(wanted.inputs)
    except Exception as error:
        return error
