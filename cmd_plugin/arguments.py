"""Types of command-line arguments that several commands share. Needs nothing but Python."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path


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


def share(text: str) -> float:
    """A number between 0 and 1."""
    if not 0 < float(text) < 1:
        raise argparse.ArgumentTypeError(f'{text} is not between 0 and 1')
    return float(text)


def picture(text: str) -> Path:
    """A file that can be written as a picture."""
    if Path(text).suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise argparse.ArgumentTypeError(f'{text} does not end in .png or .jpg')
    return Path(text)
