"""The commands `convert` and `inspect`: their arguments, and which work they ask for."""

from __future__ import annotations

import argparse
from pathlib import Path

from cmd_plugin.errors import UserError
from cmd_plugin.upstream.presence import has


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convert`."""
    parser.add_argument('source', type=Path, metavar='SRC', help='checkpoint: .pth.tar, or .safetensors with its .json')
    parser.add_argument('target', type=Path, metavar='DST', nargs='?', help='file to write: .pth.tar or .safetensors')
    parser.add_argument('--companion', type=Path, metavar='FILE', help='whole network that gives constructor and '
                        'backbone, where SRC has the heads alone')
    parser.add_argument('--difference-to', type=Path, metavar='PARENT', help='write only those tensors that differ '
                        "from PARENT's; or, where SRC is such a difference, make it whole again")
    parser.add_argument('--inspect', action='store_true', help='write nothing: tell what SRC is')


def run(options: argparse.Namespace) -> None:
    """Convert, or tell. Raises `UserError`: options that do not fit one another, and what `convert` raises."""
    if options.inspect:
        if options.target or options.companion or options.difference_to:
            raise UserError('--inspect takes SRC alone: leave DST, --companion and --difference-to out')
        return tell(options.source)
    if options.target is None:
        raise UserError('no file to write: give SRC DST, or --inspect')
    _own_toolkit()
    from cmd_plugin.convert.converting import convert
    print('\n'.join(convert(options.source, options.target, options.companion, options.difference_to)))


def add_inspect_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `inspect`."""
    parser.add_argument('file', type=Path, metavar='FILE', help='checkpoint: .pth.tar or .safetensors')


def run_inspect(options: argparse.Namespace) -> None:
    """Tell what a file is."""
    tell(options.file)


def tell(path: Path) -> None:
    """Print what a checkpoint is."""
    _own_toolkit()
    from cmd_plugin.convert.telling import describe
    print('\n'.join(describe(path)))


def _own_toolkit() -> None:
    """These commands read files of either toolkit, but with ours: the other has no reader that runs nothing."""
    if not has('ltr.admin.portable'):
        raise UserError('convert and inspect need the toolkit that comes with cmd_plugin: leave --upstream out')
