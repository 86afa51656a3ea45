"""From result files to figures, for one or several trackers on the same sequences."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol as Interface

import numpy as np

from ltr.admin.errors import UserError
from pytracking.analysis.evaluate import Result, evaluate
from pytracking.analysis.export import write_csv
from pytracking.analysis.protocols import Protocol, get_protocol
from pytracking.evaluation.data import DEFAULT_PROTOCOL, Sequence
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.results import read_boxes, read_seconds, result_file
from pytracking.evaluation.tracker import Tracker


class HasResults(Interface):
    """What is evaluated: a `Tracker`, or anything else whose results lie in one folder."""

    @property
    def label(self) -> str:
        """For tables and plots."""

    @property
    def results_dir(self) -> Path:
        """Folder of SEQ.txt (boxes) and SEQ_time.txt (seconds)."""


@dataclass(frozen=True)
class ResultsFolder:
    """Results by their folder alone, whoever made them."""

    label: str
    results_dir: Path


@dataclass(frozen=True, eq=False)
class TrackerResult:
    """A tracker's evaluation.

    Attributes:
        label: for tables and plots.
        group: what runs of the same tracker have in common.
        result: curves and figures.
        frames, seconds: what the frames/s are made of, first frames left out; 0 where a time file is missing.
        boxes: sequence name -> (n, 4) boxes as saved, `xywh`, image px; empty for merged runs.
    """

    label: str
    group: tuple[str, str, str | None]
    result: Result
    frames: int
    seconds: float
    boxes: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def frames_per_second(self) -> float | None:
        """Frames per second of tracking, without initialisation; None where it is not known."""
        return self.frames / self.seconds if self.seconds > 0 else None


def extract_results(trackers: Iterable[HasResults], dataset: Iterable[Sequence], report_name: str | None = None,
                    skip_missing_seq: bool = False, plot_bin_gap: float = 0.05,
                    exclude_invalid_frames: bool = False, verbose: bool = True,
                    protocol: str | Protocol | None = None) -> list[TrackerResult]:
    """Evaluate the saved results of trackers.

    Args:
        trackers: the trackers, or folders of results (`ResultsFolder`).
        dataset: the sequences; those with a box for the first frame only are left out, and counted.
        report_name: a table of every sequence's figures is saved as
            `{result_plot_path}/REPORT_NAME/sequences.csv`; None: nothing is saved.
        skip_missing_seq: leave out sequences that not all trackers have finished, and count them; else they
            are an error.
        plot_bin_gap: step of the success thresholds; the protocols' own is 0.05.
        exclude_invalid_frames: see `evaluate`.
        verbose: say on stderr what was left out.
        protocol: how to count; by default the data set's.

    Raises:
        UserError: a result is missing or malformed, or nothing is left to evaluate.
    """
    sequences, trackers = list(dataset), list(trackers)
    default: str = getattr(dataset, 'protocol', DEFAULT_PROTOCOL)
    chosen = get_protocol(default if protocol is None else protocol)
    if plot_bin_gap != 0.05:
        chosen = chosen.with_success_gap(plot_bin_gap)
    complete = _usable(trackers, sequences, skip_missing_seq, verbose)
    results = []
    for tracker in trackers:
        predictions = {sequence.name: read_boxes(tracker.results_dir, sequence) for sequence in complete}
        result = evaluate(predictions, complete, chosen, exclude_invalid_frames)
        results.append(TrackerResult(tracker.label, _group(tracker), result, *_speed(tracker, complete), predictions))
    if report_name is not None:
        _save_sequences(results, Path(local_env_settings().result_plot_path) / report_name)
    return results


def _group(tracker: HasResults) -> tuple[str, str, str | None]:
    if isinstance(tracker, Tracker):
        return tracker.name, tracker.parameter_name, tracker.display_name
    return tracker.label, '', tracker.label


def _usable(trackers: list[HasResults], sequences: list[Sequence], skip_missing: bool,
            verbose: bool) -> list[Sequence]:
    """The sequences that can be evaluated for all trackers."""
    labelled = [sequence for sequence in sequences if not sequence.init_only]
    complete = [sequence for sequence in labelled if not skip_missing or all(
        result_file(tracker.results_dir, sequence.name).is_file() for tracker in trackers)]
    init_only, missing = len(sequences) - len(labelled), len(labelled) - len(complete)
    left_out = [f'{init_only} with a box for the first frame only'] if init_only else []
    left_out += [f'{missing} without a result of every tracker'] if missing else []
    if not complete:
        raise UserError(f'no sequence to evaluate of {len(sequences)}' +
                        (f': {", ".join(left_out)}' if left_out else ''))
    if left_out and verbose:
        print(f'not evaluated: {", ".join(left_out)}, of {len(sequences)} sequences', file=sys.stderr)
    return complete


def _speed(tracker: HasResults, sequences: list[Sequence]) -> tuple[int, float]:
    frames, total = 0, 0.0
    for sequence in sequences:
        seconds = read_seconds(tracker.results_dir, sequence)
        if seconds is None:
            return 0, 0.0
        frames += len(seconds) - 1
        total += float(seconds[1:].sum())
    return frames, total


def merge_runs(results: list[TrackerResult]) -> list[TrackerResult]:
    """One result per tracker: the mean curves over its runs."""
    groups: dict[tuple[str, str, str | None], list[TrackerResult]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    merged = []
    for (name, parameters, display_name), runs in groups.items():
        one = runs[0].result
        curves = {key: np.mean([run.result.curves[key] for run in runs], axis=0) for key in one.curves}
        timed = all(run.seconds > 0 for run in runs)
        label = display_name or f'{name}/{parameters}'
        merged.append(TrackerResult(label, runs[0].group, replace(one, curves=curves),
                                    sum(run.frames for run in runs) if timed else 0,
                                    sum(run.seconds for run in runs) if timed else 0.0))
    return merged


def _save_sequences(results: list[TrackerResult], folder: Path) -> None:
    measures = list(results[0].result.curves) if results else []
    rows = []
    for item in results:
        figures = [item.result.sequence_figures(measure) for measure in measures]
        rows += [[item.label, item.result.protocol.name, name, *(f'{figure[name]:.5f}' for figure in figures)]
                 for name in item.result.sequences]
    write_csv(folder / 'sequences.csv', rows, ['tracker', 'protocol', 'sequence', *measures])
