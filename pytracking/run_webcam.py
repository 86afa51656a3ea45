"""Track an object before a camera: `python pytracking/run_webcam.py TRACKER PARAM [--source 0] ...`; Ctrl-C ends."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if not __package__:  # run as a script: import from the repository root, never from this folder
    _HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(_HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != _HERE)]

from ltr.admin.errors import cli
from pytracking.run_video import add_stream, run
from pytracking.utils.arguments import add_tracker, calm_waiting


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description='Track an object before a camera. Ctrl-C ends; what was tracked so far is saved.')
    add_tracker(parser)
    parser.add_argument('--source', default='0', metavar='WHICH',
                        help='number of the camera (default 0), an address, or a video file')
    parser.add_argument('--raw', action='store_true',
                        help='take the camera\'s own numbers: for thermal cameras of 16 bit')
    add_stream(parser)
    options = parser.parse_args(arguments)
    run(options, options.source, options.raw, keep_partial=True)
    return 0


def entry() -> None:
    """The console command."""
    calm_waiting()
    cli(main)


if __name__ == '__main__':
    entry()
