"""Run a tracker over a data set and print its table: `python pytracking/run_tracker.py TRACKER PARAM ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # run as a script: import from the repository root, never from this folder
    _HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(_HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != _HERE)]

from ltr.admin.errors import UserError, cli
from ltr.admin.plugins import unknown
from pytracking.utils.arguments import add_tracker, add_visdom, calm_waiting, visdom_info

if TYPE_CHECKING:  # heavy: imported when they are needed, and worker processes import this file, too
    from pytracking.evaluation.data import Sequence, SequenceList
    from pytracking.evaluation.running import RunReport
    from pytracking.evaluation.tracker import Tracker


def run_tracker(tracker_name: str, tracker_param: str, run_id: int | None = None,
                dataset_name: str = 'folder', sequence: str | int | None = None, debug: int = 0,
                threads: int = 0, visdom_info: dict[str, object] | None = None, *,
                data: str | Path | None = None, protocol: str | None = None, max_frames: int | None = None,
                results: str | Path | None = None, shard: str | None = None, retries: int = 1,
                ray: str | None = None, save_video: str | Path | None = None, speed: str | None = None,
                batch_sequences: int = 1) -> RunReport:
    """Run a tracker and print the table of what it has finished.

    Args:
        tracker_name, tracker_param, run_id: see `Tracker`.
        dataset_name: a registered data set.
        sequence: name or position (from 0) of a single sequence.
        debug, threads, visdom_info, retries, ray, batch_sequences: see `run_dataset`.
        data: folder of the data set; by default the environment's.
        protocol: how to count; by default the data set's.
        max_frames: cut sequences to their first frames.
        results: folder of all results; by default the environment's.
        shard: 'i/n', only the i-th of n parts of the data set.
        save_video: draw the results: a video file for a single sequence, else a folder with a video a sequence.
        speed: preset, see `pytracking.features.speed`.

    Raises:
        UserError: unknown tracker, parameters, data set, sequence or protocol, or bad data.
    """
    from pytracking.analysis.protocols import get_protocol
    from pytracking.evaluation.running import run_dataset
    from pytracking.evaluation.tracker import Tracker
    if protocol is not None:
        get_protocol(protocol)
    tracker = Tracker(tracker_name, tracker_param, run_id, results_path=results, speed=speed)
    tracker.get_tracker_class()
    sequences = _sequences(dataset_name, data, sequence, shard, max_frames)
    videos = {} if save_video is None else _video_files(Path(save_video), sequences)
    report = run_dataset(sequences, [tracker], debug, threads, visdom_info, retries=retries, ray=ray,
                         batch_sequences=batch_sequences)
    print(f'results: {tracker.results_dir}')
    failed = {outcome.sequence for outcome in report.failures}
    finished = [item for item in sequences if item.name not in failed]
    _print_table(tracker, finished, protocol or sequences.protocol)
    for item in finished:
        if item.name in videos:
            from pytracking.visualization.sequence_video import save_sequence_video
            save_sequence_video([tracker], item, videos[item.name])
            print(f'video: {videos[item.name]}')
    return report


def _sequences(dataset_name: str, data: str | Path | None, sequence: str | int | None, part: str | None,
               max_frames: int | None) -> SequenceList:
    """What is to be run."""
    from pytracking.evaluation.data import SequenceList
    from pytracking.evaluation.datasets import get_dataset
    from pytracking.evaluation.sharding import parse_shard, shard
    if max_frames is not None and max_frames < 1:
        raise UserError(f'--max-frames must be at least 1, got {max_frames}')
    which = None if part is None else parse_shard(part)
    sequences = get_dataset(dataset_name, root=data)
    if sequence is not None:
        sequences = SequenceList([_pick(sequences, sequence)], sequences.protocol)
    if max_frames is not None:
        sequences = SequenceList([item.first(max_frames) for item in sequences], sequences.protocol)
    if which is not None:
        whole, sequences = len(sequences), shard(sequences, *which)
        print(f'part {which[0]} of {which[1]}: {len(sequences)} of {whole} sequences')
    return sequences


def _print_table(tracker: Tracker, sequences: list[Sequence], protocol: str) -> None:
    from pytracking.analysis.extract_results import extract_results
    from pytracking.analysis.plot_results import results_table
    from pytracking.evaluation.data import SequenceList
    unlabelled = sum(item.init_only for item in sequences)
    if unlabelled:
        print(f'{unlabelled} sequences have a box for the first frame only: run, but not evaluated')
    left = SequenceList([item for item in sequences if not item.init_only], protocol)
    if left:
        print(results_table(extract_results([tracker], left)))


def _video_files(place: Path, sequences: SequenceList) -> dict[str, Path]:
    """Sequence name -> its video."""
    from pytracking.visualization.video import CODECS
    if place.suffix.lower() not in CODECS:
        return {item.name: place / f'{item.name}.mp4' for item in sequences}
    if len(sequences) > 1:
        raise UserError(f'--save-video {place} is one file for {len(sequences)} sequences: name a folder, or choose '
                        f'one with --sequence')
    return {item.name: place for item in sequences}


def _pick(sequences: SequenceList, which: str | int) -> Sequence:
    """A sequence by name, or by position where no name fits."""
    names = [item.name for item in sequences]
    if which in names:
        return sequences[str(which)]
    if str(which).isdecimal():
        if int(which) >= len(names):
            raise UserError(f'sequence {which} does not exist: there are {len(names)}, counted from 0')
        return sequences[int(which)]
    raise UserError(unknown('sequence', str(which), names))


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; `--help` explains it."""
    from pytracking.analysis.protocols import PROTOCOLS
    parser = argparse.ArgumentParser(
        description='Run a tracker over a data set and print its table. Finished sequences are skipped.')
    add_tracker(parser)
    add = parser.add_argument
    add('--dataset_name', '--dataset', default='folder', metavar='NAME',
        help='registered data set (default: folder, which needs --data)')
    add('--data', metavar='DIR', help='folder of the data set (default: the environment\'s)')
    add('--sequence', metavar='NAME', help='name or number (from 0) of a single sequence')
    add('--threads', type=int, default=0, metavar='N', help='worker processes; 0 runs in this one')
    add('--shard', metavar='I/N', help='only the I-th of N parts of the data set, for machines on their own')
    add('--batch-sequences', type=int, default=1, metavar='N',
        help='N sequences at a time pass the network together, in one process')
    add('--retries', type=int, default=1, metavar='K', help='how often a failed sequence is tried again (default 1)')
    add('--ray', metavar='ADDRESS', help='run on a Ray cluster: HOST:PORT, auto, or local; --threads sequences at once')
    add('--protocol', metavar='NAME', help=f'{", ".join(PROTOCOLS)} (default: the data set\'s)')
    add('--max-frames', type=int, metavar='N', help='only the first N frames of each sequence')
    add('--save-video', metavar='OUT', help='draw the results: OUT.mp4 for one sequence, else a folder')
    add_visdom(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 1 when a sequence failed."""
    options = parse_arguments(arguments)
    report = run_tracker(
        options.tracker_name, options.tracker_param, options.runid, options.dataset_name, options.sequence,
        options.debug, options.threads, visdom_info(options), data=options.data, protocol=options.protocol,
        max_frames=options.max_frames, results=options.results, shard=options.shard, retries=options.retries,
        ray=options.ray, save_video=options.save_video, speed=options.speed, batch_sequences=options.batch_sequences)
    return 1 if report.failures else 0


def entry() -> None:
    """The console command."""
    calm_waiting()
    cli(main)


if __name__ == '__main__':
    entry()
