"""Types of command-line arguments. Imports nothing heavy."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def number(least: int) -> Callable[[str], int]:
    """A whole number of `least` or more."""
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f'{text} is less than {least}')
        return int(text)
    return number


def positive(text: str) -> float:
    """A finite number above 0."""
    if not 0 < float(text) < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not a number above 0')
    return float(text)
