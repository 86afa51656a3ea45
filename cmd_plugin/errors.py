"""`UserError` and `cli` of the toolkit, or the same two where the toolkit has none (a stock checkout)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

try:
    from ltr.admin.errors import UserError, cli
except ModuleNotFoundError:
    class UserError(Exception):  # type: ignore[no-redef]
        """A mistake that the user can mend, told in one line."""

    def cli(main: Callable[[], int | None]) -> NoReturn:
        """Run `main`; exit with its status (None: 0), 2 after a `UserError`, 130 after Ctrl-C."""
        try:
            sys.exit(main() or 0)
        except UserError as error:
            print(f'error: {error}', file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            print('stopped', file=sys.stderr)
            sys.exit(130)

__all__ = ['UserError', 'cli']
