"""Figures that others have published for a data set, to stand beside ours.

They come from the entry-point group `pytracking.published`: the names are a data set's, and `<data set>_attributes` for
figures by attribute; the values are callables that return rows with the fields of `Published`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ltr.admin import plugins

GROUP = 'pytracking.published'


@dataclass(frozen=True)
class Published:
    """A published row.

    Attributes:
        tracker: its name there.
        success, precision, norm_precision: in [0, 1]; None where the source gives none.
        source: where it stands.
        attribute: whose sequences were counted; None: all.
        protocol: which of ours counts alike; None where the source does not say.
    """

    tracker: str
    success: float | None
    precision: float | None
    norm_precision: float | None
    source: str
    attribute: str | None = None
    protocol: str | None = None

    @property
    def label(self) -> str:
        """For tables, where nothing published may look like a result of ours."""
        return f'{self.tracker} (published)'

    @property
    def origin(self) -> str:
        """The source, and how it counted."""
        return f'{self.source}; {f"protocol {self.protocol}" if self.protocol else "protocol not given"}'

    def figure(self, measure: str) -> float | None:
        """A figure by the name of its measure."""
        return getattr(self, measure, None)


def published_rows(dataset: str) -> list[Published]:
    """What is published for the data set, the best success first; empty where nobody offers anything.

    Raises:
        UserError: two packages offer rows for one data set.
    """
    rows = [_row(row) for name in (dataset, f'{dataset}_attributes') if name in plugins.names(GROUP)
            for row in plugins.load(GROUP, name)()]
    # one figure may be quoted by several sources: the first one speaks for it
    once = {(row.tracker, row.attribute, row.success, row.precision, row.norm_precision): row for row in rows[::-1]}
    return sorted(once.values(), key=lambda row: (-(row.success or 0.0), -(row.precision or 0.0), row.tracker))


def overall(rows: Iterable[Published]) -> list[Published]:
    """Those over all sequences."""
    return [row for row in rows if row.attribute is None]


def with_attribute(rows: Iterable[Published]) -> dict[str, dict[str, Published]]:
    """Tracker -> attribute, in small letters -> row; trackers in the order of their names."""
    found: dict[str, dict[str, Published]] = {}
    for row in sorted(rows, key=lambda row: row.tracker):
        if row.attribute is not None:
            found.setdefault(row.tracker, {})[row.attribute.lower()] = row
    return found


def _row(row: Any) -> Published:
    """Any object with these fields, in a type of our own."""
    success, precision, norm_precision = (None if value is None else float(value) for value in
                                          (row.success, row.precision, row.norm_precision))
    return Published(str(row.tracker), success, precision, norm_precision, str(row.source),
                     getattr(row, 'attribute', None), getattr(row, 'protocol', None))
