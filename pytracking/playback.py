"""Look at saved results: `python -m pytracking.playback TRACKER/PARAM ... --sequence S [--save-video OUT.mp4]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if not __package__:  # run as a script: import from the repository root, never from this folder
    _HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(_HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != _HERE)]

from ltr.admin.errors import UserError, cli


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog='python -m pytracking.playback', description=(
        'Draw the saved boxes of trackers, and the ground truth in white, on the frames of a sequence: '
        'as pictures, or as a video.'))
    add = parser.add_argument
    add('trackers', nargs='+', metavar='TRACKER/PARAM[:RUNID]', help='trackers that were run')
    add('--sequence', required=True, metavar='NAME', help='which sequence')
    add('--dataset_name', '--dataset', default='folder', metavar='NAME', help='registered data set (default: folder)')
    add('--data', metavar='DIR', help='folder of the data set (default: the environment\'s)')
    add('--results', metavar='DIR', help='folder of all results (default: the environment\'s)')
    add('--save-video', type=Path, metavar='OUT.mp4', help='a video in place of pictures')
    add('--rate', type=float, default=25.0, metavar='F', help='frames/s of the video (default 25)')
    options = parser.parse_args(arguments)
    if not 0 < options.rate <= 1000:
        raise UserError(f'--rate must be above 0 and at most 1000, got {options.rate:g}')
    _play(options)
    return 0


def _play(options: argparse.Namespace) -> None:
    from pytracking.analysis.playback import playback_results
    from pytracking.analysis.sources import tracker_of
    from pytracking.evaluation.datasets import get_dataset
    from pytracking.visualization.sequence_video import save_sequence_video
    trackers = [tracker_of(label, options.results) for label in options.trackers]
    sequence = get_dataset(options.dataset_name, root=options.data)[options.sequence]
    if options.save_video:
        save_sequence_video(trackers, sequence, options.save_video, options.rate)
        print(f'video: {options.save_video}')
    else:
        pictures = playback_results(trackers, sequence)
        print(f'{len(pictures)} pictures: {pictures[0].parent}')


def entry() -> None:
    """The console command."""
    cli(main)


if __name__ == '__main__':
    entry()
