"""One way to fail for every command: a single line, and an exit status that tells the truth."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from ltr.admin.signals import sigterm_ends


class UserError(Exception):
    """A mistake that the user can mend.

    The message is one line that says what is wrong, with which file, and what to do. Programming errors are
    never wrapped in it: they keep their trace-back. Signs that do not print (a line break in a file's name, a
    terminal's escape) are shown as escapes, so that it stays one line.
    """

    def __str__(self) -> str:
        return ''.join(sign if sign.isprintable() else sign.encode('unicode_escape').decode()
                       for sign in super().__str__())


def cli(main: Callable[[], int | None]) -> NoReturn:
    """Run a command-line `main` and leave the process with an honest exit status.

    Args:
        main: parses `sys.argv` itself; returns the exit status, `None` meaning 0.

    Exit status: 2 with one `error:` line on stderr for a `UserError`, 130 for Ctrl-C, 143 for SIGTERM, 141 where the
    reader of our output has gone (`... | head`); any other exception passes through with its trace-back (status 1).
    """
    try:
        with sigterm_ends():
            status = main() or 0
        sys.stdout.flush()
        sys.exit(status)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print('stopped', file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        sys.exit(141)


def _nobody_reads() -> bool:
    """Whether it is stdout that is broken, not the pipe of a worker (an empty line tells); what waits is dropped."""
    try:
        print(flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False
