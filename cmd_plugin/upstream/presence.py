"""What a toolkit has, told without importing it."""

from __future__ import annotations

import importlib.util


def has(module: str) -> bool:
    """Whether the toolkit in use has a module of this name, such as `ltr.admin.plugins`; its parents are imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
