"""What the command lines of this package share. Imports nothing heavy."""

from __future__ import annotations

import argparse
import os
from typing import Any

from pytracking.features import speed

TRUE, FALSE = ('true', 'yes', 'on', '1'), ('false', 'no', 'off', '0')


def calm_waiting() -> None:
    """Let idle threads sleep instead of spin, here and in processes started from here; a user's own choice stands.

    Trackers have many short parallel parts: threads that spin between them keep all cores busy for nothing. Has an
    effect only before torch is imported.
    """
    if not {'OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME'} & set(os.environ):
        os.environ.update(OMP_WAIT_POLICY='PASSIVE', KMP_BLOCKTIME='0')


def boolean(text: str) -> bool:
    """True or False as a word; for argparse, whose `type=bool` takes 'False' for true."""
    if text.lower() in TRUE + FALSE:
        return text.lower() in TRUE
    raise argparse.ArgumentTypeError(f'{text!r} is neither true nor false')


def add_tracker(parser: argparse.ArgumentParser) -> None:
    """TRACKER PARAM --runid N --results DIR --debug D --speed S."""
    add = parser.add_argument
    add('tracker_name', metavar='TRACKER', help='name of the tracker')
    add('tracker_param', metavar='PARAM', help='name of its parameter module')
    add('--runid', type=int, metavar='N', help='number of the run, part of the results folder')
    add('--results', metavar='DIR', help='folder of all results (default: the environment\'s)')
    add('--debug', type=int, default=0, metavar='D', help='debug level of the tracker; above 0 runs in one process, '
        'shows trace-backs, and draws the confidence in the live view')
    add('--speed', metavar='S', help=speed.HELP)


def add_visdom(parser: argparse.ArgumentParser) -> None:
    """--use_visdom, --visdom_server, --visdom_port."""
    add = parser.add_argument
    add('--use_visdom', type=boolean, nargs='?', const=True, default=False, metavar='BOOL',
        help='live view on a visdom server that runs already (python -m visdom.server)')
    add('--no-use_visdom', dest='use_visdom', action='store_false', help=argparse.SUPPRESS)
    add('--visdom_server', default='127.0.0.1', metavar='HOST', help='default 127.0.0.1')
    add('--visdom_port', type=int, default=8097, metavar='P', help='default 8097')


def visdom_info(options: argparse.Namespace) -> dict[str, Any]:
    """The options of `add_visdom` as `run_dataset` takes them."""
    return {'use_visdom': options.use_visdom, 'server': options.visdom_server, 'port': options.visdom_port}
