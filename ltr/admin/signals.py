"""Ends that are asked for."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STATUS = 128 + signal.SIGTERM


@contextmanager
def sigterm_ends() -> Iterator[None]:
    """Let SIGTERM leave the body by `SystemExit(143)`, as Ctrl-C leaves it by KeyboardInterrupt: with all clean-up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not break the clean-up
        raise SystemExit(STATUS)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except BaseException:
        if asked:  # libraries that are left by it (Ray) may make another exception of it
            print('stopped', file=sys.stderr)
            raise SystemExit(STATUS) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
