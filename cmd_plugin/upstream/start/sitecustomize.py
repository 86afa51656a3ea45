"""Imported by Python itself at the start of every process of a run with `--upstream`, children included."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


def start() -> None:
    """Make the plugin known to this process."""
    root = os.path.realpath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, os.pardir))
    sys.path.insert(0, root)
    try:
        from cmd_plugin.upstream.activation import activate
    finally:
        sys.path.remove(root)
    checkout = os.environ.get('CMD_UPSTREAM')
    if checkout:
        activate(checkout)


def the_other() -> None:
    """Run the `sitecustomize` that would have been found without this one."""
    here = os.path.realpath(os.path.dirname(__file__))
    places = [entry for entry in sys.path if os.path.realpath(entry) != here]
    spec = PathFinder.find_spec('sitecustomize', places)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


start()
the_other()
