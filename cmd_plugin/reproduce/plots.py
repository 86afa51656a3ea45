"""Plots: how the parent learned, what each row gains, and child less control by video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytracking.utils.figures import save_figure


def parent_curve(curve: list[dict[str, Any]], path: Path) -> Path:
    """Loss and Success on kept-out RGB over the epochs; the last third, which the stop rule looks at, is shaded."""
    figure = _figure()
    left = figure.subplots()
    numbers = np.arange(1, len(curve) + 1)
    left.plot(numbers, [one['loss'] for one in curve], color='tab:gray', label='training loss')
    left.set_xlabel('epoch')
    left.set_ylabel('loss')
    right = left.twinx()
    success = np.array([list(one['success'].values()) for one in curve])
    error = success.std(axis=1, ddof=1) / np.sqrt(success.shape[1]) if success.shape[1] > 1 else 0 * success[:, 0]
    right.errorbar(numbers, success.mean(axis=1), error, color='tab:blue', capsize=2, label='Success, kept-out RGB')
    right.set_ylabel('Success (standard error over sequences)')
    left.axvspan(len(curve) - len(curve) // 3 + 0.5, len(curve) + 0.5, alpha=0.1)
    figure.legend(loc='outside upper center', ncols=2, fontsize='small')
    return save_figure(figure, path, dpi=130)


def by_row(rows: Sequence[Mapping[str, Any]], goal: float, path: Path, name: str = 'child') -> Path:
    """Success of child less control, and of the control less the parent, with their intervals, a line each.

    Args:
        rows: `row`, its name; `effect` and `less_parent`, as `summary.write` writes them.
        goal: drawn as a line, points.
        path: of the picture.
        name: what is held against the control.
    """
    figure = _figure()
    axes = figure.subplots()
    drawn = ((f'{name} less control', 'tab:blue', -0.12, [row['effect']['success'] for row in rows]),
             ('control less parent', 'tab:gray', 0.12, [row['less_parent']['control'] for row in rows]))
    for label, colour, shift, effects in drawn:
        for place, effect in enumerate(effects):
            axes.plot(effect['mean'], place + shift, 'o', color=colour, label=label if place == 0 else None)
            if effect['low'] is not None:
                axes.hlines(place + shift, effect['low'], effect['high'], color=colour)
    axes.axvline(0, color='black', linewidth=0.8)
    axes.axvline(goal, color='tab:green', linestyle='--', linewidth=1, label=f'goal ({goal:+.1f})')
    axes.set_yticks(range(len(rows)), [row['row'] for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel('Success, points, with the 95 % interval')
    figure.legend(loc='outside upper center', ncols=3, fontsize='small')
    return save_figure(figure, path, dpi=130)


def by_video(row: Mapping[str, Any], path: Path) -> Path:
    """Mean Success of child less control in each video with its number of runs, and the interval over all."""
    figure = _figure()
    axes = figure.subplots()
    videos = list(row['by_video'])
    for place, video in enumerate(videos):
        axes.plot(row['by_video'][video]['mean'], place, 'o', color='tab:blue')
    all_of_it = row['effect']['success']
    if all_of_it['low'] is not None:
        axes.axvspan(all_of_it['low'], all_of_it['high'], alpha=0.15, label='95 % interval over all videos')
    axes.axvline(all_of_it['mean'], color='tab:blue', linewidth=1, label='mean over runs')
    axes.axvline(0, color='black', linewidth=0.8)
    axes.set_yticks(range(len(videos)), [f'{video} ({row["by_video"][video]["runs"]})' for video in videos],
                    fontsize=8)
    axes.set_ylabel('video (runs)')
    axes.set_xlabel(f'Success of {row["row"]} less its control, points')
    figure.legend(loc='outside upper center', ncols=2, fontsize='small')
    return save_figure(figure, path, dpi=130)


def _figure() -> Any:
    from matplotlib.figure import Figure
    return Figure(figsize=(7.0, 4.2), layout='constrained')
