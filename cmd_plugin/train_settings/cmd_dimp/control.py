"""Recipe control of CMD-DiMP (see `cmd_plugin.recipes`)."""

from __future__ import annotations

from typing import Any

from cmd_plugin import training


def run(settings: Any) -> None:
    """Make the network of recipe control."""
    training.run(settings, 'control')
