"""The trackers of the plugin: the stock trackers with distilled networks (see `cmd_plugin.parameter`)."""

from __future__ import annotations

from typing import Any


def get_tracker_class() -> type[Any]:
    """Of `cmd_dimp`, `cmd_prdimp` and `cmd_super_dimp`: the stock DiMP tracker."""
    from pytracking.tracker.dimp import get_tracker_class as stock
    return stock()


def get_kys_class() -> type[Any]:
    """Of `cmd_kys`: the stock KYS tracker."""
    from pytracking.tracker.kys import get_tracker_class as stock
    return stock()


def get_tomp_class() -> type[Any]:
    """Of `cmd_tomp`: the ToMP tracker."""
    from pytracking.tracker.tomp import get_tracker_class as stock
    return stock()


def get_atom_class() -> type[Any]:
    """Of `cmd_atom`: the stock ATOM tracker."""
    from pytracking.tracker.atom import get_tracker_class as stock
    return stock()
