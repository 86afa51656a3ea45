"""Commands of the plugin: `python -m cmd_plugin COMMAND`.

A command is an entry of `COMMANDS`: what it is for, its arguments, and a function that runs it. What a command needs is
imported when it runs, so that `doctor` works where nothing is installed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cmd_plugin.arguments import number
from cmd_plugin.errors import cli
from cmd_plugin.upstream.command import elsewhere


def _none(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def _doctor(options: argparse.Namespace) -> int:
    from cmd_plugin.doctor import report
    return report()


def _recipes(options: argparse.Namespace) -> None:
    from cmd_plugin.recipes import listing
    print('\n'.join(listing()))


def _merge_arguments(parser: argparse.ArgumentParser) -> None:
    for name, what in (('base', 'parent (a1)'), ('reference', 'gives the reference branch (b1)'),
                       ('test', 'gives the test branch (b2)'), ('out', 'file to write')):
        parser.add_argument(f'--{name}', type=Path, required=True, help=what)


def _merge(options: argparse.Namespace) -> None:
    from cmd_plugin.merge import merge_files
    merge_files(options.base, options.reference, options.test, options.out)


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--seeds', type=number(1), default=1, help='number of runs; with several, mean and spread')
    parser.add_argument('--seed', type=number(0), default=0, help='first seed')
    parser.add_argument('--out', type=Path, default=Path('workspace') / 'demo', help='folder of the demo')
    parser.add_argument('--size', choices=('demo', 'test'), default='demo', help='test: a few steps, no meaning')


def _demo(options: argparse.Namespace) -> None:
    # Threads that wait by spinning make small networks many times slower on a busy machine, and no faster on an
    # idle one. Read once, when torch is first imported.
    os.environ.setdefault('GOMP_SPINCOUNT', '20000')
    from cmd_plugin.demo import run
    run(options.out, range(options.seed, options.seed + options.seeds), options.size)


def _detect_arguments(parser: argparse.ArgumentParser) -> None:
    from cmd_plugin.detect.command import add_arguments
    add_arguments(parser)


def _detect(options: argparse.Namespace) -> int:
    from cmd_plugin.detect.command import run
    return run(options)


def _table1_arguments(parser: argparse.ArgumentParser) -> None:
    from cmd_plugin.table1.arguments import add_arguments
    add_arguments(parser)


def _table1(options: argparse.Namespace) -> None:
    os.environ.setdefault('GOMP_SPINCOUNT', '20000')  # as in the demo
    from cmd_plugin.table1.run import run
    run(options)


def _benchmark_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--net', default='dimp50', choices=('dimp50', 'dimp18', 'dimp_small'), help='default: dimp50')
    parser.add_argument('--pairs', type=number(1), default=5, help='pairs a batch of d3 (default: the paper\'s 5)')
    parser.add_argument('--device', default='cpu', help='cpu (default) or cuda')
    parser.add_argument('--growth', type=Path, nargs='?', const=Path('workspace', 'growth'), metavar='DIR',
                        help='how cost grows with pairs, images and proposals, instead: table, JSON and plot, in DIR '
                             '(default workspace/growth)')
    parser.add_argument('--most', type=number(10_000), default=1_000_000, help='pairs of the longest list of --growth; '
                        'a fifth as many files are made (default 1000000)')


def _benchmark(options: argparse.Namespace) -> int:
    if options.growth is not None:
        from cmd_plugin.growth import run as growth
        return growth(options.growth, options.most)
    from cmd_plugin import throughput
    from cmd_plugin.benchmark import run
    status = run(options.net, options.pairs, options.device)
    throughput.run(options.net, options.pairs, options.device)
    return status


def _later(part: str, name: str) -> Callable[[Any], Any]:
    """The function `name` of `cmd_plugin.PART.command`, imported when it is called."""
    def call(argument: Any) -> Any:
        return getattr(importlib.import_module(f'cmd_plugin.{part}.command'), name)(argument)
    return call


class Command(NamedTuple):
    """One command: a line of help, its arguments, and what runs it; `None` is exit status 0."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Any]


COMMANDS = {
    'doctor': Command('what is in use here, and what is missing', _none, _doctor),
    'recipes': Command('the recipes of every tracker, one line each', _none, _recipes),
    'train': Command('run_training.py of the toolkit in use', _none, _later('upstream', 'elsewhere')),
    'track': Command('run_tracker.py of the toolkit in use', _none, _later('upstream', 'elsewhere')),
    'attach': Command('make the command lines of a stock checkout know the plugin',
                      _later('upstream', 'add_arguments'), _later('upstream', 'attach')),
    'detach': Command('undo attach', _later('upstream', 'add_arguments'), _later('upstream', 'detach')),
    'merge': Command('b3: reference branch of one network, test branch of another', _merge_arguments, _merge),
    'detect': Command('boxes of a detector for the pseudo box `detection`, made once', _detect_arguments, _detect),
    'check-pairs': Command('pairs that are misaligned, swapped, blank, duplicated, or shown in the test, too',
                           _later('check_pairs', 'add_arguments'), _later('check_pairs', 'run')),
    'table1': Command('Table 1: train what is missing, track every row, print it', _table1_arguments, _table1),
    'benchmark': Command('memory of d3 beside stock DiMP training, its speed beside the plain way',
                         _benchmark_arguments, _benchmark),
    'convert': Command('a checkpoint to .safetensors and .json, and back; or joined with, or less, another',
                       _later('convert', 'add_arguments'), _later('convert', 'run')),
    'inspect': Command('what a checkpoint is: network, epoch, recipe, teacher, settings',
                       _later('convert', 'add_inspect_arguments'), _later('convert', 'run_inspect')),
    'download': Command('a checkpoint by name, checked by its SHA-256',
                        _later('download', 'add_arguments'), _later('download', 'run')),
    'export': Command('the parts of a network as ONNX', _later('export', 'add_arguments'), _later('export', 'run')),
    'reproduce': Command('the claim of the method on real thermal video: parent, children, controls, one blind test',
                         _later('reproduce', 'add_arguments'), _later('reproduce', 'run')),
    'demo': Command('the whole way on a generated world, in minutes on a CPU', _demo_arguments, _demo),
}


def _parser(named: str) -> argparse.ArgumentParser:
    """The commands, with the arguments of the one that is named: what the others need is not imported."""
    parser = argparse.ArgumentParser(prog='python -m cmd_plugin', description='Cross-modal distillation for thermal '
                                     'infrared tracking')
    parser.add_argument('--upstream', metavar='DIR', help='use the stock toolkit in this folder in place of our own')
    commands = parser.add_subparsers(dest='command', required=True)
    for name, command in COMMANDS.items():
        added = commands.add_parser(name, help=command.help)
        if name == named:
            command.arguments(added)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = sys.argv[1:] if argv is None else argv
    status = elsewhere(given)
    if status is not None:
        return status
    options = _parser(given[0] if given else '').parse_args(given)
    return COMMANDS[options.command].run(options) or 0


def entry() -> None:
    """The console command."""
    cli(main)
