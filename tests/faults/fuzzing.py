"""Damaged input in numbers: what is done to a file, and what a reader may do with it.

A reader may take what it is given, or refuse it by `UserError`: one line that names the file and says what to do.
Anything else (another exception, another message, a wait) fails the test.
"""

from __future__ import annotations

import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.errors import UserError

SECONDS = 20.0
# How a message tells what to do, or what it would have taken; where the system says why, that is enough.
CURE = re.compile(r'^cannot (read|list|write) |\b(copy|download|remove|rename|convert|correct|give|set|make|run|choose|'
                  r'expected|must|save|say|keep|known|understood|install|leave|there are|did you mean|are 0 or 1|'
                  r'do not use|take|write|lacks|export|put it back)\b', re.IGNORECASE)


class TooLongError(Exception):
    """A reader did not come back."""


class Tally:
    """Cases by area: accepted and refused."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def cases(self, area: str) -> int:
        return self.accepted[area] + self.refused[area]

    def table(self) -> str:
        """area / cases / accepted / refused."""
        areas = sorted({*self.accepted, *self.refused})
        rows = [('area', 'cases', 'accepted', 'refused')]
        rows += [(area, str(self.cases(area)), str(self.accepted[area]), str(self.refused[area])) for area in areas]
        return '\n'.join(f'{row[0]:<42}' + ''.join(f'{cell:>10}' for cell in row[1:]) for row in rows)


TALLY = Tally()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise in this block when it lasts too long, where the system has such a clock."""
    if not hasattr(signal, 'setitimer') or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(number: int, frame: Any) -> None:
        raise TooLongError(f'no answer in {seconds:g} s')
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def attempt(area: str, read: Callable[[], Any], *names: str | Path) -> Any:
    """Read; what came of it, or None where it was refused in the proper form.

    Args:
        area: under which the case is counted.
        read: the reader.
        names: files, one of which a refusal must name.
    """
    try:
        with time_limit(SECONDS):
            result = read()
    except UserError as error:
        check_message(str(error), *names)
        TALLY.refused[area] += 1
        return None
    TALLY.accepted[area] += 1
    return result


def check_message(message: str, *names: str | Path) -> None:
    """One line, with the file and the cure."""
    assert message.splitlines() == [message], repr(message)
    assert any(Path(name).name in message for name in names), message
    assert CURE.search(message), f'no cure: {message}'
    assert 'Traceback' not in message and len(message) < 1200, message


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """One kind of damage: cut, bits turned, bytes replaced, zeroed, doubled, left out, put in, or of another file."""
    array = bytearray(data)
    kind = int(rng.integers(9)) if data else 6
    start = int(rng.integers(max(1, len(array))))
    length = int(rng.integers(1, max(2, min(64, len(array)))))
    if kind == 0:
        return bytes(array[:start])
    if kind == 1:
        for place in rng.integers(0, max(1, len(array)), 1 + length // 8):
            array[place] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        array[start:start + length] = rng.bytes(len(array[start:start + length]))
    elif kind == 3:
        array[start:start + length] = bytes(len(array[start:start + length]))
    elif kind == 4:
        array[start:start] = array[start:start + length]
    elif kind == 5:
        del array[start:start + length]
    elif kind == 6:
        array[start:start] = rng.bytes(length)
    elif kind == 7:
        array[start:] = array[start:][::-1]
    else:
        return bytes(array[start:])
    return bytes(array)
