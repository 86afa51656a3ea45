"""Which trackers may pass through the network together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

OWN = ('net', 'seed', 'run_id', 'debug')
"""Parameters in which trackers that share their work may differ."""


def company(tracker: Any) -> Hashable:
    """Equal for initialised trackers of one class with the same network, parameters and size of crops."""
    params = sorted((name, repr(value)) for name, value in vars(tracker.params).items() if name not in OWN)
    return type(tracker), tracker.net.key, tuple(params), tuple(tracker.sample_sz.tolist())
