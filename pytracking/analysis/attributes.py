"""Figures by attribute: each row is the mean over the sequences that have it (paper, Table 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

import pytracking.evaluation.data as data
from ltr.admin.errors import UserError
from pytracking.analysis.evaluate import Result
from pytracking.analysis.extract_results import TrackerResult
from pytracking.analysis.protocols import MeasureName


def by_attribute(sequences: Iterable[data.Sequence]) -> dict[str, tuple[str, ...]]:
    """Attribute -> names of the sequences that have it; attributes by the alphabet, sequences in their order."""
    members: dict[str, list[str]] = {}
    for sequence in sequences:
        for attribute in sequence.attributes:
            members.setdefault(attribute, []).append(sequence.name)
    return {attribute: tuple(members[attribute]) for attribute in sorted(members)}


def subset(result: Result, names: Iterable[str]) -> Result:
    """The same result over fewer sequences; names that were not evaluated are passed over."""
    wanted = set(names)
    keep = np.array([name in wanted for name in result.sequences], dtype=bool)
    sequences = tuple(name for name in result.sequences if name in wanted)
    curves = {measure: rows[keep] for measure, rows in result.curves.items()}
    return replace(result, sequences=sequences, frames=result.frames[keep], curves=curves)


def attribute_rows(results: Sequence[TrackerResult], sequences: Iterable[data.Sequence],
                   measure: MeasureName) -> list[tuple[str, int, list[float]]]:
    """The table by attribute.

    Args:
        results: evaluated alike.
        sequences: the data set; those that the protocol leaves out do not count.
        measure: whose ranking figure is shown.

    Returns:
        (attribute, number of sequences, a figure in [0, 1] for each result), by attribute.

    Raises:
        UserError: no sequence has an attribute.
    """
    counted = set(results[0].result.sequences)
    members = by_attribute(sequence for sequence in sequences if sequence.name in counted)
    if not members:
        raise UserError('no table by attribute: the data set names no attributes for these sequences')
    rows = []
    for attribute, names in members.items():
        figures = [subset(item.result, names).figure(measure) or 0.0 for item in results]
        rows.append((attribute, len(names), figures))
    return rows
