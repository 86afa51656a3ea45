"""The command `reproduce`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from cmd_plugin.arguments import number, positive
from cmd_plugin.errors import UserError

STAGES = ('sources', 'parent', 'candidates', 'selection', 'children', 'evaluation', 'statistics', 'report')
ASKED = ('ceiling',)
LAYOUT = 2
"""Of a workspace; 1 had no scores by clip. Another one's parent can be taken all the same."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--data', type=Path, required=True, metavar='DIR', help='folder of the data (docs/results.md)')
    parser.add_argument('--seeds', type=number(1), metavar='K', help='trainings of child and control (5; quick: 3)')
    parser.add_argument('--rows', nargs='+', metavar='ROW', help='what is tried: rows of Table 1 and variants '
                        '(docs/results.md); by default those of the size')
    parser.add_argument('--rates', nargs='+', type=positive, metavar='RATE', help="of Adam, tried of every row; by "
                        'default those of the size')
    parser.add_argument('--steps', type=number(1), metavar='N', help='of every child and control; a '
                        'multiple of 100 (600 by default; quick: of 40, 80)')
    parser.add_argument('--tested', type=number(1), metavar='N', help='rows that go on to the test (2; quick: 1)')
    parser.add_argument('--targets', type=number(0), metavar='N', help='of every test video; 0: all of them (default; '
                        'evening: 5, quick: 3)')
    size = parser.add_mutually_exclusive_group()
    size.add_argument('--quick', action='store_true', help='a quarter of an hour on two idle cores')
    size.add_argument('--size', choices=('full', 'evening', 'quick', 'test'),
                      help='evening: some three hours on two idle cores; test: a few steps, no meaning')
    parser.add_argument('--workspace', type=Path, default=Path('workspace') / 'reproduce', metavar='DIR',
                        help='folder of all results (default workspace/reproduce)')
    parser.add_argument('--parent', type=Path, metavar='DIR', help='the --workspace of an earlier run of this size, '
                        'whose parent is taken')
    parser.add_argument('--stages', nargs='+', choices=(*STAGES, *ASKED), metavar='STAGE',
                        default=list(STAGES), help=f'some of {", ".join(STAGES)}; {ASKED[0]}, only where asked for: '
                        'what labels of thermal video would give (docs/results.md)')
    parser.add_argument('--minutes', type=positive, metavar='M', help='stop before the piece that would end later; the '
                        'same command goes on (exit status 3)')
    parser.add_argument('--threads', type=number(0), metavar='N', help='processes that track (default 2; 0: this one)')
    parser.add_argument('--jobs', type=number(1), default=1, metavar='N', help='candidates, children, '
                        'evaluations and folds that run at the same time (1), each with its share of the processors')
    parser.add_argument('--workers', type=number(0), default=1, metavar='N', help='processes that read data (1)')
    parser.add_argument('--precision', choices=('float32', 'bfloat16'), default='float32', help='of the trainings '
                        '(float32); bfloat16 is faster on processors that have it')
    parser.add_argument('--device', help='auto (default), cpu, cuda, cuda:1, mps')


def run(options: argparse.Namespace) -> int:
    """Do what is not done yet; returns the exit status.

    Raises:
        UserError: data that is missing, or a workspace that was begun otherwise.
    """
    os.environ.setdefault('GOMP_SPINCOUNT', '20000')  # as in the demo
    from cmd_plugin.reproduce import pieces, stages
    from cmd_plugin.reproduce.adoption import adopt
    from cmd_plugin.reproduce.places import Data, Work
    from cmd_plugin.reproduce.sizes import SIZES
    name = 'quick' if options.quick else options.size or 'full'
    size = size_of(SIZES[name], options)
    data = Data(options.data.expanduser().resolve())
    data.check()
    work = Work(options.workspace.expanduser().resolve() / name)
    experiment = stages.Experiment(data, work, size, options.seeds or size.seeds, options.device, options.workers)
    said = {'layout': LAYOUT, 'data': str(data.root), 'seeds': experiment.seeds, 'numbers': numbers_of(size)}
    begin(work.root / 'begun.json', said)
    if options.parent is not None:
        adopt(Work(options.parent.expanduser().resolve() / name), work, said)
    status = pieces.run(stages.pieces(experiment, options.stages), options.minutes, options.jobs)
    for told in (work.report / 'report.md', work.report / 'ceiling.md'):
        if told.is_file():
            print(f'\n{told.read_text(encoding="utf-8")}\nall of it: {work.report}')
    return status


def size_of(size: Any, options: argparse.Namespace) -> Any:
    """The size with what the command line says in place of its own numbers.

    Raises:
        UserError: a row that there is not, or steps that are not whole pieces.
    """
    from dataclasses import replace

    from cmd_plugin.reproduce.rows import known
    if options.steps is not None and options.steps % size.piece:
        raise UserError(f'--steps must be a multiple of {size.piece}, not {options.steps}')
    rows = known(options.rows) if options.rows else size.rows
    threads = size.threads if options.threads is None else options.threads
    return replace(
        size, rows=rows, rates=tuple(dict.fromkeys(options.rates or size.rates)),
        chosen=min(options.tested or size.chosen, len(rows)), precision=options.precision,
        runs=size.runs if options.targets is None else options.targets,
        steps=size.steps if options.steps is None else (options.steps,),
        threads=0 if options.threads is None and options.jobs > 1 else threads)


def numbers_of(size: Any) -> str:
    """The numbers of a size that decide what comes out, as text."""
    return ', '.join(f'{key} {value}' for key, value in vars(size).items() if key != 'threads')


def begin(path: Path, said: dict[str, object]) -> None:
    """Note what a workspace was begun with, or compare.

    Raises:
        UserError: it was begun with something else.
    """
    from cmd_plugin.reproduce.places import read_json, write_json
    if not path.is_file():
        write_json(path, said)
        return
    before = read_json(path)
    other = [f'{key} {before.get(key)!r}, now {value!r}' for key, value in said.items() if before.get(key) != value]
    if other:
        raise UserError(f'{path.parent} was begun with {"; ".join(other)}: choose another --workspace')
