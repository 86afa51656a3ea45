"""Runs at the start of every Python of an environment that a checkout is attached to; does nothing for most.

`python -m cmd_plugin attach` copies this file into site-packages, beside a `.pth` file that calls `look`. Only the
standard library is imported here, and the plugin only where the running script lies in an attached checkout.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

VARIABLE = 'CMD_UPSTREAM'
"""Names the checkout to child processes, whose command line does not."""


def look(root: str, checkouts: Mapping[str, bool]) -> None:
    """Make the plugin known to this process if it runs a script of one of the checkouts.

    Args:
        root: folder that holds the package `cmd_plugin`.
        checkouts: absolute paths without links, and whether Python may keep its bytecode there.
    """
    checkout = chosen(list(checkouts), sys.argv, sys.orig_argv)
    if checkout is None:
        return
    if not os.path.isfile(os.path.join(root, 'cmd_plugin', 'upstream', 'activation.py')):
        print(f'warning: {checkout} is attached to a plugin that is no longer in {root}: remove cmd_plugin_attach.pth '
              f'from {os.path.dirname(os.path.abspath(__file__))}', file=sys.stderr)
        return
    sys.dont_write_bytecode = sys.dont_write_bytecode or not checkouts[checkout]
    sys.path.insert(0, root)
    try:
        from cmd_plugin.upstream.activation import activate
    finally:
        sys.path.remove(root)
    activate(checkout)


def chosen(checkouts: Sequence[str], argv: Sequence[str], whole: Sequence[str]) -> str | None:
    """The checkout whose script, or whose module run from within it, this process is; or whose child it is.

    Args:
        checkouts: absolute paths without links.
        argv: `sys.argv` as it is before the script begins: `-m` and `-c` stand in place of a script.
        whole: the command line as it was typed.
    """
    script = argv[0] if argv else ''
    if script == '-c':  # children of multiprocessing: the parent has named its checkout
        named = os.environ.get(VARIABLE, '')
        return named if named in checkouts else None
    if script == '-m':
        module = whole[whole.index('-m') + 1] if '-m' in whole[:-1] else ''
        if module.partition('.')[0] not in ('ltr', 'pytracking', 'cmd_plugin'):
            return None
        script = '.'
    if script in ('', '-'):  # somebody at the keyboard, or a pipe
        return None
    place = os.path.realpath(script)
    return next((path for path in checkouts if place == path or place.startswith(path + os.sep)), None)
