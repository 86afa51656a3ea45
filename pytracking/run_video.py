"""Track an object through a video: `python pytracking/run_video.py TRACKER PARAM VIDEO --optional_box X Y W H ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if not __package__:  # run as a script: import from the repository root, never from this folder
    _HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(_HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != _HERE)]

from ltr.admin.errors import cli
from pytracking.utils.arguments import add_tracker, add_visdom, calm_waiting, visdom_info


def add_stream(parser: argparse.ArgumentParser) -> None:
    """The options that videos and cameras share."""
    add = parser.add_argument
    add('--optional_box', '--box', type=float, nargs=4, metavar=('X', 'Y', 'W', 'H'),
        help='the target in the first frame, px, top-left corner first (default: draw it with the mouse)')
    add('--save-video', type=Path, metavar='OUT.mp4', help='save the frames with the box drawn')
    add('--save_results', '--save-results', action='store_true', help='save boxes and times to the results folder')
    add('--show', action='store_true', help='open a window: q ends, r lets draw another box')
    add('--max-frames', type=int, metavar='N', help='end after N frames')
    add_visdom(parser)


def run(options: argparse.Namespace, source: str, raw: bool = False, keep_partial: bool = False) -> None:
    """Run with parsed options; see `pytracking.visualization.stream.run_stream`."""
    from pytracking.evaluation.tracker import Tracker
    from pytracking.visualization.stream import StreamOptions, run_stream
    from pytracking.visualization.video import open_source
    tracker = Tracker(options.tracker_name, options.tracker_param, options.runid, results_path=options.results,
                      speed=options.speed)
    run_stream(tracker, open_source(source, raw), StreamOptions(
        options.optional_box, options.save_video, options.save_results, options.show, visdom_info(options),
        options.debug, options.max_frames, keep_partial))


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description='Track an object through a video.')
    add_tracker(parser)
    parser.add_argument('video', metavar='VIDEO', help='video file, folder of images, or address (rtsp://...)')
    add_stream(parser)
    options = parser.parse_args(arguments)
    run(options, options.video)
    return 0


def entry() -> None:
    """The console command."""
    calm_waiting()
    cli(main)


if __name__ == '__main__':
    entry()
