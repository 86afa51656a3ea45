"""Plots as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltr.admin.whole import replacing


def save_figure(figure: Any, path: Path, dpi: int = 150) -> Path:
    """Write a figure of matplotlib in the format of its name, PNG by default, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format=path.suffix[1:] or 'png')
    return path
