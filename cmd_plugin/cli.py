"""Commands of the plugin: `python -m cmd_plugin COMMAND`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from cmd_plugin.errors import cli


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f'{text} is less than {least}')
        return int(text)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m cmd_plugin', description='Cross-modal distillation for thermal '
                                     'infrared tracking')
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('doctor', help='what is in use here, and what is missing')
    commands.add_parser('recipes', help='the recipes, one line each')
    merge = commands.add_parser('merge', help='b3: reference branch of one network, test branch of another')
    for name, what in (('base', 'parent (a1)'), ('reference', 'gives the reference branch (b1)'),
                       ('test', 'gives the test branch (b2)'), ('out', 'file to write')):
        merge.add_argument(f'--{name}', type=Path, required=True, help=what)
    demo = commands.add_parser('demo', help='the whole way on a generated world, in minutes on a CPU')
    demo.add_argument('--seeds', type=_number(1), default=1, help='number of runs; with several, mean and spread')
    demo.add_argument('--seed', type=_number(0), default=0, help='first seed')
    demo.add_argument('--out', type=Path, default=Path('workspace') / 'demo', help='folder of the demo')
    demo.add_argument('--size', choices=('demo', 'test'), default='demo', help='test: a few steps, no meaning')
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(argv)
    if options.command == 'doctor':
        from cmd_plugin.doctor import report
        return report()
    if options.command == 'recipes':
        from cmd_plugin.recipes import RECIPES
        print('\n'.join(f'{name}  {recipe.summary}' for name, recipe in RECIPES.items()))
    if options.command == 'merge':
        from cmd_plugin.merge import merge_files
        merge_files(options.base, options.reference, options.test, options.out)
    if options.command == 'demo':
        # Threads that wait by spinning make small networks many times slower on a busy machine, and no faster on an
        # idle one. Read once, when torch is first imported.
        os.environ.setdefault('GOMP_SPINCOUNT', '20000')
        from cmd_plugin.demo import run
        run(options.out, range(options.seed, options.seed + options.seeds), options.size)
    return 0


def entry() -> None:
    """The console command."""
    cli(main)
