"""One way to fail for every command: a single line, and an exit status that tells the truth."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn


class UserError(Exception):
    """A mistake that the user can mend.

    The message is one line that says what is wrong, with which file, and what to do. Programming errors are
    never wrapped in it: they keep their trace-back.
    """


def cli(main: Callable[[], int | None]) -> NoReturn:
    """Run a command-line `main` and leave the process with an honest exit status.

    Args:
        main: parses `sys.argv` itself; returns the exit status, `None` meaning 0.

    Exit status: 2 with one `error:` line on stderr for a `UserError`, 130 for Ctrl-C; any other exception passes
    through with its trace-back (status 1).
    """
    try:
        sys.exit(main() or 0)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print('stopped', file=sys.stderr)
        sys.exit(130)
