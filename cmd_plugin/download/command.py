"""The command `download`: its arguments, and what they ask for."""

from __future__ import annotations

import argparse
from pathlib import Path

from cmd_plugin.download.registry import MIRRORS, Entry, entries, entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('name', metavar='NAME', nargs='?', help='which file; without, the list of names')
    parser.add_argument('--mirror', metavar='URL', action='append', default=[],
                        help=f'address of a folder that has the file (repeatable; more in {MIRRORS}, by spaces)')
    parser.add_argument('--url', metavar='URL', action='append', default=[], help='address of the file itself')
    parser.add_argument('--sha256', metavar='HEX', help='SHA-256 of the file, where it is not known here')
    parser.add_argument('--out', type=Path, metavar='DIR', help='folder (default networks/ in the workspace, where '
                        'trackers look)')


def run(options: argparse.Namespace) -> None:
    """List the names, or fetch one. Raises `UserError` as `Entry` and `fetch` do."""
    if options.name is None:
        print('\n'.join(_line(known) for known in entries().values()))
        return
    known = entry(options.name)
    digest = known.checked_by(options.sha256)
    addresses = known.addresses(options.mirror, options.url)
    from cmd_plugin.download.fetching import fetch
    print('\n'.join(fetch(addresses, digest, (options.out or _networks()) / known.file)))


def _line(known: Entry) -> str:
    lacks = [what for what, there in (('--sha256', known.sha256), ('--mirror or --url', known.urls)) if not there]
    return f'{known.name:<12}{known.about}' + (f' (needs {" and ".join(lacks)})' if lacks else '')


def _networks() -> Path:
    from cmd_plugin.checkpoints import workspace
    return workspace() / 'networks'
