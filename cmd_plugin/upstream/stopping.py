"""A user's mistake inside a stock script: one line and exit status 2, as with the plugin's own commands."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any


def stops(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, with `UserError` turned into one line on stderr and the end of the process with status 2.

    The stock toolkit catches `Exception` in places and goes on; `SystemExit` goes through.
    """
    @functools.wraps(function)
    def ending(*args: Any, **kwargs: Any) -> Any:
        from cmd_plugin.errors import UserError
        try:
            return function(*args, **kwargs)
        except UserError as error:
            print(f'error: {error}', file=sys.stderr)
            raise SystemExit(2) from None
    return ending
