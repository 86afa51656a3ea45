"""All numbers of the experiment in one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmd_plugin.reproduce import parent
from cmd_plugin.reproduce.choice import locked, now
from cmd_plugin.reproduce.evaluation import KINDS, label_of
from cmd_plugin.reproduce.places import Work, read_json, write_json
from cmd_plugin.reproduce.plateau import is_plateau
from cmd_plugin.reproduce.rows import backbones_of
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.statistics import effect
from cmd_plugin.reproduce.tracking import MEASURES, PROTOCOL

GOAL = {'success': 1.8, 'precision': 2.1, 'norm_precision': 2.0}
"""What the paper claims for its networks, points."""


def write(work: Work, size: Size, seeds: int) -> None:
    """Collect figures and effects of parent, chosen rows and their controls."""
    curve = parent.curve(work)
    content = {
        'protocol': PROTOCOL, 'goal': GOAL, 'size': asdict(size), 'seeds': seeds, 'time': now(),
        'choice': read_json(work.choice), 'candidates': [read_json(work.candidate(row, rate)) for row in size.rows
                                                         for rate in size.rates],
        'untrained': {name: read_json(work.candidate(name, 0))['scores']['0']
                      for name in ('parent', *backbones_of(size.rows))},
        'looked_at': read_json(work.figures('parent'))['looked_at'],
        'parent': {'curve': curve, 'plateau': plain(asdict(is_plateau(curve))), 'kept_out': read_json(work.kept_out)},
        'means': {name: {measure: value for measure, [value] in means([read_json(work.figures(name))]).items()}
                  for name in ('static', 'parent')},
        'rows': [_row(work, rank, chosen, seeds) for rank, chosen in enumerate(locked(work))]}
    write_json(work.results, content)


def _row(work: Work, rank: int, chosen: dict[str, Any], seeds: int) -> dict[str, Any]:
    """Means over seeds and effects of one chosen row: over all, by group, by video."""
    found = {kind: [read_json(work.figures(label_of(rank, kind, seed))) for seed in range(seeds)] for kind in KINDS}
    first = found['child'][0]
    names = list(first['videos'])
    videos, groups = [first['videos'][n] for n in names], [first['groups'][n] for n in names]
    row: dict[str, Any] = {**chosen, 'runs': len(names)}
    for kind in KINDS:
        row[kind] = means(found[kind])
    differences = {measure: by_run(found['child'], measure, names) - by_run(found['control'], measure, names)
                   for measure in MEASURES}
    parent_figures = [read_json(work.figures('parent'))] * seeds
    row['effect'] = {measure: plain(asdict(effect(differences[measure], videos))) for measure in MEASURES}
    row['less_parent'] = {kind: plain(asdict(effect(
        by_run(found[kind], 'success', names) - by_run(parent_figures, 'success', names), videos))) for kind in KINDS}
    row['by_group'] = _by(groups, lambda rows: {
        measure: plain(asdict(effect(differences[measure][rows], [videos[i] for i in rows])))
        for measure in MEASURES})
    row['by_video'] = _by(videos, lambda rows: {
        'runs': len(rows), 'mean': float(differences['success'][rows].mean()),
        'spread_over_runs': float(differences['success'][rows].mean(axis=1).std(ddof=1)) if len(rows) > 1 else None})
    row['by_run'] = {name: [round(float(value), 3) for value in differences['success'][i]]
                     for i, name in enumerate(names)}
    return row


def by_run(found: list[dict[str, Any]], measure: str, names: list[str]) -> NDArray[np.float64]:
    """(runs, seeds) figures of the named runs."""
    return np.array([[one['figures'][measure][name] for one in found] for name in names])


def _by(keys: list[str], make: Callable[[list[int]], Any]) -> dict[str, Any]:
    return {key: make([i for i, one in enumerate(keys) if one == key]) for key in sorted(set(keys))}


def means(found: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Means over runs of the figures of some networks, by measure."""
    return {measure: [float(np.mean(list(one['figures'][measure].values()))) for one in found] for measure in MEASURES}


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no NaN."""
    return {key: None if isinstance(value, float) and not np.isfinite(value) else value
            for key, value in values.items()}
