"""Tracking with a network by its file, and figures of each sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cmd_plugin.errors import UserError
from ltr.admin.device import pick_device
from pytracking.analysis import evaluate
from pytracking.analysis.protocols import MeasureName
from pytracking.evaluation import Tracker
from pytracking.evaluation.data import Sequence as Frames
from pytracking.evaluation.results import read_boxes
from pytracking.evaluation.running import run_dataset
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.tracker.dimp.defaults import dimp_params

PROTOCOL = 'lsotb'
MEASURES: tuple[MeasureName, ...] = ('success', 'precision', 'norm_precision')
Figures = dict[str, dict[str, float]]
"""By measure and sequence, x 100."""


class FileTracker(Tracker):
    """DiMP with the network of a file.

    Args:
        label: its name in tables and folders.
        network: checkpoint.
        crop: side of its crops, px.
        results: folder of results; `dimp/LABEL` below it.
        device: as `--device`.
    """

    def __init__(self, label: str, network: Path, crop: int, results: Path, device: str | None = None) -> None:
        super().__init__('dimp', label, display_name=label, results_path=results)
        self.network, self.crop, self.device = network, crop, device or 'auto'

    def get_parameters(self) -> Any:
        """Stock parameters of DiMP for crops of this side."""
        params = dimp_params(self.crop)
        device = pick_device(self.device)
        params.use_gpu = device.type != 'cpu'
        params.net = NetWithBackbone(net_path=str(self.network), device=device)
        return params


def track(trackers: Sequence[Tracker], sequences: Iterable[Frames], threads: int) -> None:
    """Track what is not tracked yet. Raises `UserError` when a sequence failed."""
    report = run_dataset(sequences, trackers, threads=threads)
    if report.failures:
        raise UserError(f'{len(report.failures)} sequences failed (above): the same command goes on with them')


def figures(tracker: Tracker, sequences: Iterable[Frames]) -> Figures:
    """Figures of every sequence from saved boxes."""
    sequences = list(sequences)
    return figures_of({s.name: read_boxes(tracker.results_dir, s) for s in sequences}, sequences)


def figures_of(boxes: dict[str, np.ndarray], sequences: Iterable[Frames]) -> Figures:
    """Figures of every sequence from boxes `(n, 4)`, `xywh`, image px."""
    result = evaluate(boxes, list(sequences), PROTOCOL)
    return {measure: {name: round(100 * value, 4) for name, value in result.sequence_figures(measure).items()}
            for measure in MEASURES}
