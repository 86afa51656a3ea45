"""Work in pieces: each leaves one file, and is not done again where that is there; the time left is told."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
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
        alone: it needs nothing that its neighbours make, and can be sent to another process.
    """

    stage: str
    name: str
    out: Path
    make: Callable[[], None]
    cost: float = 1.0
    needless: Callable[[], bool] = lambda: False
    alone: bool = False

    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return self.out.is_file() or self.needless()


@dataclass
class Pace:
    """How fast pieces go, and when to stop.

    Attributes:
        minutes: stop before a piece that would probably end later than this; the first one is always done.
        clock: seconds.
    """

    minutes: float | None = None
    clock: Callable[[], float] = time.monotonic
    paid: float = 0.0
    done: int = 0

    def __post_init__(self) -> None:
        self.start = self.clock()

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self.clock() - self.start

    @property
    def rate(self) -> float | None:
        """Seconds a unit of cost, once a piece is done."""
        return self.spent / self.paid if self.paid else None

    def is_late_for(self, piece: Piece, jobs: int = 1) -> bool:
        """Whether a piece, one of `jobs` at the same time, would end after the limit."""
        return (self.minutes is not None and self.rate is not None
                and self.spent + self.rate * piece.cost * jobs > 60 * self.minutes)

    def count(self, piece: Piece) -> None:
        """Note a piece that was made. Raises `RuntimeError` when it left nothing."""
        if not piece.is_done():
            raise RuntimeError(f'{piece.stage}: {piece.name} did not write {piece.out}')
        self.paid += piece.cost
        self.done += 1


def run(pieces: Sequence[Piece], minutes: float | None = None, jobs: int = 1,
        clock: Callable[[], float] = time.monotonic) -> int:
    """Do what is not done, in order; returns an exit status.

    Args:
        pieces: in the order in which they depend on each other.
        minutes: see `Pace`.
        jobs: how many of neighbours that are `alone` run at the same time, in processes of their own.
        clock: seconds.
    """
    pace = Pace(minutes, clock)
    for alone, group in itertools.groupby(enumerate(pieces, 1), key=lambda one: jobs > 1 and one[1].alone):
        numbered = list(group)
        late = _together(numbered, pieces, pace, jobs) if alone else _in_turn(numbered, pieces, pace)
        if late is not None:
            print(f'stopped after {pace.spent / 60:.1f} minutes, {pace.done} pieces done: the same command goes on '
                  f'with {late.stage}: {late.name}')
            return OUT_OF_TIME
    return ON_TIME


def _in_turn(group: Sequence[tuple[int, Piece]], pieces: Sequence[Piece], pace: Pace) -> Piece | None:
    """Make pieces one by one; returns the one that the time does not suffice for."""
    for number, piece in group:
        if piece.is_done():
            continue
        if pace.is_late_for(piece):
            return piece
        _announce(number, piece, pieces, pace)
        piece.make()
        pace.count(piece)
    return None


def _together(group: Sequence[tuple[int, Piece]], pieces: Sequence[Piece], pace: Pace, jobs: int) -> Piece | None:
    """The same, `jobs` at a time; the first that fails ends all, after those that run have ended."""
    waiting = deque(one for one in group if not one[1].is_done())
    running: dict[Future[None], Piece] = {}
    late = None
    with ProcessPoolExecutor(jobs, multiprocessing.get_context('spawn'), _begin_worker, (jobs,)) as pool, _stoppable():
        while running or (waiting and late is None):
            while waiting and late is None and len(running) < jobs:
                number, piece = waiting.popleft()
                if pace.is_late_for(piece, jobs):
                    late = piece
                else:
                    _announce(number, piece, pieces, pace)
                    running[pool.submit(piece.make)] = piece
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                pace.count(running.pop(future))
    return late


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C ends the workers at once: a piece that was not finished is made anew, or goes on, next time."""
    try:
        yield
    except KeyboardInterrupt:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise


def _begin_worker(jobs: int) -> None:
    """Share the processors, and die of Ctrl-C without a word: the main process has it."""
    import torch
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(max(1, torch.get_num_threads() // jobs))


def _announce(number: int, piece: Piece, pieces: Sequence[Piece], pace: Pace) -> None:
    left = sum(one.cost for one in pieces[number - 1:] if not one.is_done())
    about = f', about {pace.rate * left / 60:.0f} minutes left' if pace.rate else ''
    print(f'\n== [{number}/{len(pieces)}] {piece.stage}: {piece.name}{about}', flush=True)
