"""Containers for a tracker's parameters: plain attributes, no configuration language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TrackerParams:
    """Parameters of a tracker, set and read as attributes.

    >>> params = TrackerParams()
    >>> params.search_area_scale = 5
    >>> params.get('search_area_scale'), params.get('iounet_k', 3), params.has('iounet_k')
    (5, 3, False)
    """

    def set_default_values(self, default_vals: Mapping[str, Any]) -> None:
        """Set every attribute of `default_vals` that is not set yet."""
        for name, value in default_vals.items():
            if not self.has(name):
                setattr(self, name, value)

    def get(self, name: str, *default: Any) -> Any:
        """Value of `name`, or the default where one is given.

        Raises:
            AttributeError: `name` is not set and there is no default.
            TypeError: more than one default.
        """
        if len(default) > 1:
            raise TypeError(f'get() takes one default at most, got {len(default)}')
        if default and not self.has(name):
            return default[0]
        return getattr(self, name)

    def has(self, name: str) -> bool:
        """Whether `name` is set."""
        return hasattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Any name may be set; declared so that type checkers know it."""
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f'tracker parameter {name!r} is not set')

    def __repr__(self) -> str:
        return f'{type(self).__name__}({", ".join(f"{k}={v!r}" for k, v in sorted(vars(self).items()))})'


class FeatureParams(TrackerParams):
    """Parameters of a feature extractor, given as keywords."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class Choice:
    """The values that one parameter may take, for a search over parameters.

    >>> list(Choice(0.1, 0.2))
    [0.1, 0.2]
    """

    def __init__(self, *options: Any) -> None:
        self.values = options

    def __iter__(self) -> Any:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f'Choice({", ".join(map(repr, self.values))})'
