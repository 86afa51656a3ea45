"""Work in pieces: each leaves one file, and is not done again where that is there; the time left is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ON_TIME, OUT_OF_TIME = 0, 3
"""Exit status of a run that has done all, and of one that has stopped at its time limit."""


@dataclass(frozen=True)
class Piece:
    """A piece of work.

    Attributes:
        stage: what it belongs to.
        name: for people.
        out: the file that is there when it is done.
        make: does it.
        cost: how long it takes compared with others.
        needless: whether it is not wanted any more, although `out` is not there.
    """

    stage: str
    name: str
    out: Path
    make: Callable[[], None]
    cost: float = 1.0
    needless: Callable[[], bool] = lambda: False

    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return self.out.is_file() or self.needless()


def run(pieces: Sequence[Piece], minutes: float | None = None,
        clock: Callable[[], float] = time.monotonic) -> int:
    """Do what is not done, in order; returns an exit status.

    Args:
        pieces: in the order in which they depend on each other.
        minutes: stop before a piece that would probably end later than this; the first one is always done.
        clock: seconds.
    """
    start, paid, done = clock(), 0.0, 0
    for number, piece in enumerate(pieces, 1):
        if piece.is_done():
            continue
        rate = (clock() - start) / paid if paid else None
        if minutes is not None and rate is not None and clock() - start + rate * piece.cost > 60 * minutes:
            print(f'stopped after {(clock() - start) / 60:.1f} minutes, {done} pieces done: the same command goes on '
                  f'with {piece.stage}: {piece.name}')
            return OUT_OF_TIME
        left = sum(one.cost for one in pieces[number - 1:] if not one.is_done())
        about = f', about {rate * left / 60:.0f} minutes left' if rate else ''
        print(f'\n== [{number}/{len(pieces)}] {piece.stage}: {piece.name}{about}', flush=True)
        piece.make()
        if not piece.is_done():
            raise RuntimeError(f'{piece.stage}: {piece.name} did not write {piece.out}')
        paid += piece.cost
        done += 1
    return ON_TIME
