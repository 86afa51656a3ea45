"""Files that are either whole or not there."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary name beside `path`, then move; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def table_text(table: np.ndarray, separator: str, number: str = '%.4f') -> bytes:
    """Rows of numbers as lines of text."""
    buffer = io.StringIO()
    np.savetxt(buffer, table, fmt=number, delimiter=separator)
    return buffer.getvalue().encode('ascii')
