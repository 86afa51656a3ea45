"""The tracker `cmd_dimp`: stock DiMP with a distilled network."""

from __future__ import annotations

from typing import Any


def get_tracker_class() -> type[Any]:
    """The stock DiMP tracker; what is different is its network (see `cmd_plugin.parameter`)."""
    from pytracking.tracker.dimp import get_tracker_class as stock
    return stock()
