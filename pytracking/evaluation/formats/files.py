"""Tables as text."""

from __future__ import annotations

import io

import numpy as np


def table_text(table: np.ndarray, separator: str, number: str = '%.4f') -> bytes:
    """Rows of numbers as lines of text."""
    buffer = io.StringIO()
    np.savetxt(buffer, table, fmt=number, delimiter=separator)
    return buffer.getvalue().encode('ascii')
