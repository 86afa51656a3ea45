"""A run that is killed again and again, and started again until it is done; what was seen is kept as a table."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.faults import children

SHARE_INSIDE = 0.6
"""Of the kills, those at a file operation; the others come at any time."""


@dataclass
class Figures:
    """What came of a series of kills."""

    name: str
    kills: int = 0
    inside: int = 0
    runs: int = 0
    left: int = 0
    seconds: float = 0.0

    TITLE = f'{"killed":34} {"kills":>6} {"at a file operation":>20} {"runs":>5} {"most files left over":>21} {"s":>6}'

    def __str__(self) -> str:
        return (f'{self.name:34} {self.kills:6} {self.inside:20} {self.runs:5} {self.left:21} {self.seconds:6.1f}')


@dataclass(frozen=True)
class Task:
    """What is run: `arguments(folder)` of a command, and what must hold.

    Attributes:
        check: called with the folder after every death: nothing in it may be half written.
        finished: called with the folder of a finished run, to be compared with an undisturbed one.
    """

    name: str
    command: str
    arguments: Callable[[Path], list[str]]
    variables: dict[str, str]
    check: Callable[[Path], None]
    finished: Callable[[Path], None]


def kill_often(task: Task, kills: int, place: Path, seed: int) -> Figures:
    """Kill runs of a task at random moments, each started again until it is done; the undisturbed one is in `whole`."""
    rng, figures, start = np.random.default_rng(seed), Figures(task.name), time.monotonic()

    def attempt(folder: Path, **how: float) -> children.Ended:
        return children.run(task.command, task.arguments(folder), task.variables, folder, **how)
    whole = place / 'whole'
    undisturbed = [attempt(whole), attempt(place / 'warm')][0]
    length = attempt(place / 'timed').seconds
    assert undisturbed.status == 0 and undisturbed.operations > 5, undisturbed.output
    while figures.kills < kills:
        folder, dead = place / f'run{figures.runs}', True
        while dead:
            inside = rng.random() < SHARE_INSIDE
            moment = {'at': int(rng.integers(1, undisturbed.operations + 1))} if inside else {
                'after': float(rng.uniform(0.02, length))}
            ended = attempt(folder, **({} if figures.kills == kills else moment))
            dead = ended.status == -signal.SIGKILL
            assert dead or ended.status == 0, ended.output
            figures.kills += dead
            figures.inside += dead and inside
            left = leftovers(folder)
            figures.left = max(figures.left, left.total())
            assert not [name for name, number in left.items() if number > 1], left
            task.check(folder)
        assert not leftovers(folder)
        task.finished(folder)
        figures.runs += 1
    figures.seconds = time.monotonic() - start
    return figures


def leftovers(folder: Path) -> Counter[str]:
    """Number of temporary files below a folder, by the file that each was to become."""
    return Counter(os.path.join(root, name.rsplit('.', 2)[0])
                   for root, _, names in os.walk(folder) for name in names if name.endswith('.tmp'))
