"""The report: tables as Markdown, plots, pictures, networks with a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cmd_plugin.convert.converting import convert
from cmd_plugin.reproduce import pictures, plots
from cmd_plugin.reproduce.evaluation import KINDS
from cmd_plugin.reproduce.places import Data, Work, read_json
from cmd_plugin.reproduce.plateau import Plateau
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.statistics import Effect
from cmd_plugin.reproduce.tracking import MEASURES
from ltr.admin.whole import write_whole

TITLES = ('Success', 'Precision', 'Norm. precision')
Rows = Sequence[Sequence[str]]


def write(data: Data, work: Work, size: Size, seeds: int) -> None:
    """Write everything into the report folder; the report itself comes last."""
    results = read_json(work.results)
    work.report.mkdir(parents=True, exist_ok=True)
    plots.parent_curve(results['parent']['curve'], work.report / 'parent_curve.png')
    plots.by_row(results['rows'], results['goal']['success'], work.report / 'rows.png')
    plots.by_video(results['rows'][0], work.report / 'child_less_control.png')
    pictures.frames(data, work, size, work.report / 'frames.png')
    hand_on(work, results)
    write_whole(work.report / 'report.md', ('\n\n'.join(text(results)) + '\n').encode())


def hand_on(work: Work, results: Mapping[str, Any]) -> None:
    """Parent, and child of the first choice (seed 0) as the difference to it, as safetensors with a model card."""
    parent, child = work.report / 'parent.safetensors', work.report / 'child.safetensors'
    convert(work.parent, parent)
    convert(work.child(0, 'child', 0), child, parent=parent)
    write_whole(work.report / 'MODEL_CARD.md', ('\n\n'.join(card(results)) + '\n').encode())


def text(results: Mapping[str, Any]) -> list[str]:
    """Paragraphs and tables of the report."""
    choice, parent = results['choice'], results['parent']
    plateau = Plateau(**_whole(parent['plateau']))
    lines = ['# Child less control on real thermal video',
             f'Protocol {results["protocol"]}, {results["rows"][0]["runs"]} runs in '
             f'{len(results["rows"][0]["by_video"])} videos, {results["seeds"]} training seeds. The choice, by '
             f'{choice["by"]}, was locked at {choice["time"]}; the test was looked at from {results["looked_at"]} on.',
             f'The parent after {len(parent["curve"])} epochs is {plateau.line()}.',
             '![curve of the parent](parent_curve.png)',
             '## The parent on RGB sequences of videos that it has not seen', kept_out_table(parent['kept_out']),
             '## Selection: Success on thermal halves against targets detected on visible ones',
             candidate_table(results), '## On thermal runs', main_table(results), row_table(results),
             '![child less control and control less parent, by row](rows.png)']
    lines += ['![child less control by video](child_less_control.png)',
              'White is the truth, green the child, red its control.',
              '![frames where the child wins (above) and loses most](frames.png)']
    for row in results['rows']:
        lines += [f'## {row["row"]}, rate {row["rate"]:g}, {row["steps"]} steps: child less control',
                  *effect_lines(row, results['goal']), group_table(row), video_table(row)]
    return lines


def kept_out_table(kept_out: Mapping[str, Any]) -> str:
    """Parent and trackers without a network."""
    rows = [[name, *(f'{np.mean(list(found[measure].values())):.1f}' for measure in MEASURES)]
            for name, found in kept_out['figures'].items()]
    note = f'\n\nThis OpenCV has no {" and no ".join(kept_out["missing"])}.' if kept_out['missing'] else ''
    return markdown(['', *TITLES], rows) + note


def candidate_table(results: Mapping[str, Any]) -> str:
    """Every row at every rate after every number of steps, over all and by clip; what was not trained in the end."""
    scored = [(one['row'], f'{one["rate"]:g}', steps, score) for one in results['candidates']
              for steps, score in one['scores'].items()]
    scored += [(name, '-', '-', score) for name, score in results['untrained'].items()]
    clips = list(scored[0][3]['by_clip'])
    return markdown(['row', 'rate', 'steps', 'mean', *clips],
                    [[row, rate, steps, *(f'{value:.1f}' for value in (score['success'], *score['by_clip'].values()))]
                     for row, rate, steps, score in scored])


def main_table(results: Mapping[str, Any]) -> str:
    """Static box, parent, controls and children; mean and standard deviation over seeds."""
    rows = [[name, *(f'{found[measure]:.1f}' for measure in MEASURES)] for name, found in results['means'].items()]
    for row in results['rows']:
        rows += [[f'{row["row"]}, {kind}', *(spread(row[kind][measure]) for measure in MEASURES)]
                 for kind in reversed(KINDS)]
    return markdown(['', *TITLES], rows)


def row_table(results: Mapping[str, Any]) -> str:
    """Child less control of every row, and either less the parent in Success."""
    rows = [[row['row'], *(interval(row['effect'][measure]) for measure in MEASURES),
             *(interval(row['less_parent'][kind]) for kind in KINDS)] for row in results['rows']]
    return markdown(['child less control', *TITLES, *(f'{kind} less parent, Success' for kind in KINDS)], rows)


def effect_lines(row: Mapping[str, Any], goal: Mapping[str, float]) -> list[str]:
    """One item a measure, with the goal, and what either does to the parent."""
    lines = [f'- {title}: {_effect(row["effect"][measure]).line()} (goal: {goal[measure]:+.1f}, interval above zero: '
             f'{"" if _reached(row["effect"][measure], goal[measure]) else "not "}reached)'
             for title, measure in zip(TITLES, MEASURES, strict=True)]
    lines += [f'- {kind} less parent, Success: {_effect(row["less_parent"][kind]).line()}' for kind in KINDS]
    return ['\n'.join(lines)]


def group_table(row: Mapping[str, Any]) -> str:
    """By kind of target."""
    rows = [[group, str(found['success']['runs']), str(found['success']['videos']),
             *(interval(found[measure]) for measure in MEASURES)] for group, found in row['by_group'].items()]
    return markdown(['target', 'runs', 'videos', *TITLES], rows)


def video_table(row: Mapping[str, Any]) -> str:
    """By video, Success alone."""
    rows = [[video, str(found['runs']), f'{found["mean"]:+.2f}',
             '-' if found['spread_over_runs'] is None else f'{found["spread_over_runs"]:.2f}']
            for video, found in row['by_video'].items()]
    return markdown(['video', 'runs', 'Success', 'standard deviation over runs'], rows)


def card(results: Mapping[str, Any]) -> list[str]:
    """The model card."""
    row = results['rows'][0]
    return ['# Model card',
            '`parent.safetensors`: DiMP whose heads were trained on RGB alone, on a frozen backbone. '
            f'`child.safetensors`: the difference to it after cross-modal distillation, {row["row"]}, rate '
            f'{row["rate"]:g}, {row["steps"]} steps on unlabelled RGB-TIR pairs, seed 0. '
            'Make it whole with `python -m cmd_plugin convert child.safetensors child.pth.tar --difference-to '
            'parent.safetensors`.',
            f'Crops of {results["size"]["crop"]} px (network {results["size"]["network"]}). What they score, and how '
            'sure that is, stands in `report.md`; child less control, Success: '
            f'{_effect(row["effect"]["success"]).line()}.',
            'Trained on data under differing licences, some of them without any: for research, not for distribution. '
            'The parent has seen some thousand pictures, where published ones have seen millions: it is an '
            'instrument of this comparison, not a tracker for use.']


def markdown(header: Sequence[str], rows: Rows) -> str:
    """A table."""
    return '\n'.join(f'| {" | ".join(cells)} |' for cells in (header, ['---'] * len(header), *rows))


def _reached(values: Mapping[str, Any], goal: float) -> bool:
    return values['low'] is not None and values['low'] > 0 and values['mean'] >= goal


def _effect(values: Mapping[str, Any]) -> Effect:
    return Effect(**_whole(values))


def _whole(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: np.nan if value is None else value for key, value in values.items()}


def interval(values: Mapping[str, Any]) -> str:
    """Mean and 95 % interval of an effect."""
    if values['low'] is None:
        return f'{values["mean"]:+.2f}'
    return f'{values["mean"]:+.2f} [{values["low"]:+.2f}, {values["high"]:+.2f}]'


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation over seeds."""
    mean = f'{np.mean(values):.1f}'
    return mean if len(values) == 1 else f'{mean} +- {np.std(values, ddof=1):.1f}'
