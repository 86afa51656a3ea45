"""The command `export`: its arguments, and what they ask for."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('file', type=Path, metavar='FILE', help='checkpoint: .pth.tar, or .safetensors with its .json')
    parser.add_argument('--out', type=Path, metavar='DIR', required=True, help='folder to write to')


def run(options: argparse.Namespace) -> None:
    """Export. Raises `UserError` as `export` does."""
    from cmd_plugin.export.writing import export
    print('\n'.join(export(options.file, options.out)))
