"""The sections of `python -m pytracking.benchmark` beside tracking, and its further arguments."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ltr.admin.arguments import number
from ltr.admin.errors import UserError
from ltr.admin.plugins import unknown
from ltr.admin.whole import write_whole
from pytracking.analysis.speed import evaluation_lines, evaluation_times
from pytracking.benchmark.parts import Clock

SECTIONS = ('tracking', 'training', 'loader', 'evaluation')
CPU_BATCH = 2
"""Sequences a batch of training on the CPU, where the settings' own take a minute a step."""
PRINTED = Path('-')
GROWTH = Path('workspace', 'growth')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is to be measured, and where the figures go."""
    parser.add_argument('sections', nargs='*', metavar='SECTION',
                        help=f'{", ".join(SECTIONS)}, or all of them: all (default: tracking)')
    parser.add_argument('--batch', type=number(1), help="sequences a batch of training and loader (default: the "
                                                        f"setting's own, on the CPU {CPU_BATCH})")
    parser.add_argument('--workers', type=number(0), default=2, help='processes of the loader (default 2)')
    parser.add_argument('--against', type=Path, metavar='DIR', help='do the same work with the stock toolkit in this '
                                                                    'folder, and print ratios')
    parser.add_argument('--growth', type=Path, nargs='?', const=GROWTH, metavar='DIR',
                        help=f'how cost grows with size, instead: table, JSON and plot, in DIR (default {GROWTH})')
    parser.add_argument('--json', type=Path, nargs='?', const=PRINTED, metavar='FILE',
                        help='print JSON in place of the table, or write it to FILE')


def chosen(options: argparse.Namespace) -> list[str]:
    """The sections of a command line, in order; none of its own where it compares toolkits.

    Raises:
        UserError: an unknown name.
    """
    names = options.sections
    for name in names:
        if name not in (*SECTIONS, 'all'):
            raise UserError(unknown('section', name, [*SECTIONS, 'all']))
    if options.json is not None and str(options.json) in (*SECTIONS, 'all'):
        raise UserError(f'--json took {options.json} for its file: name sections before --json')
    if 'all' in names:
        return list(SECTIONS)
    return names or ([] if options.against is not None else ['tracking'])


def measure(sections: Sequence[str], options: argparse.Namespace, device: torch.device, now: Clock,
            ) -> tuple[dict[str, Any], list[str]]:
    """Measure all sections but tracking, and compare with another toolkit.

    Args:
        sections: of `SECTIONS`.
        options: the command line.
        device: where networks run.
        now: clock that waits for the device.

    Returns:
        Figures by section (and network), and the lines of the table.

    Raises:
        UserError: a batch that training does not take, or `--against` without a checkout.
    """
    networks = options.net or ['dimp50']
    rows = {'training': _training, 'loader': _loader}
    found: dict[str, Any] = {}
    lines: list[str] = []
    for section in sections:
        if section in rows:
            figures = {name: rows[section](name, options, device, now) for name in networks}
            found[section] = {name: row for name, (row, _) in figures.items()}
            lines += [line for _, line in figures.values()]
        elif section == 'evaluation':
            found[section] = evaluation_times()
            lines += evaluation_lines(found[section])
    if options.against is not None:
        from pytracking.benchmark import against
        found['against'] = {name: against.against(options.against, name, options.frames, device)
                            for name in networks}
        lines += [line for name, row in found['against'].items() for line in against.lines(name, row)]
    return found, lines


def _batch(name: str, options: argparse.Namespace, device: torch.device) -> int:
    from pytracking.benchmark.training import recipe_of
    rows = options.batch or (CPU_BATCH if device.type == 'cpu' else recipe_of(name).batch)
    if rows < 2:
        raise UserError('--batch must be 2 or more: the IoU network has batch norms over one value a sample')
    return rows


def _training(name: str, options: argparse.Namespace, device: torch.device, now: Clock) -> tuple[dict[str, Any], str]:
    from pytracking.benchmark.training import training
    row = training(name, _batch(name, options, device), device, now)
    return row, (f'{name}, training: batch {row["batch"]}, step {row["step_ms"]:.0f} ms, '
                 f'{row["samples_per_second"]:.2f} samples/s; step / forward of the backbone: {row["ratio"]:.2f}')


def _loader(name: str, options: argparse.Namespace, device: torch.device, now: Clock) -> tuple[dict[str, Any], str]:
    from pytracking.benchmark.training import loader
    row = loader(name, _batch(name, options, device), options.workers)
    return row, (f'{name}, loader: batch {row["batch"]}, {row["workers"]} processes, {row["batch_ms"]:.0f} ms a batch, '
                 f'{row["samples_per_second"]:.2f} samples/s')


def show(report: dict[str, Any], lines: Sequence[str], to: Path | None) -> None:
    """Print the table, or JSON; or the table, and JSON to a file.

    Raises:
        UserError: the file cannot be written.
    """
    text = json.dumps(report, indent=2)
    print(text if to == PRINTED else '\n'.join(lines))
    if to is not None and to != PRINTED:
        write_whole(to, f'{text}\n'.encode())
