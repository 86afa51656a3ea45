"""A tracker with its parameters, ready to run over sequences."""

from __future__ import annotations

import importlib
import math
import pkgutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ltr.admin import plugins
from ltr.admin.errors import UserError
from ltr.data.bounding_box_utils import meets_image, outside_image
from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.local import local_env_settings
from pytracking.evaluation.network_record import RunNetwork
from pytracking.tracker.base import BaseTracker
from pytracking.utils.params import TrackerParams

if TYPE_CHECKING:
    from pytracking.visualization.visualizer import Visualizer


class Tracker:
    """A tracker by name.

    Args:
        name: key of the entry-point group `pytracking.trackers`.
        parameter_name: a module of the package registered under `name` in `pytracking.parameters`.
        run_id: number of the run, for trackers that are run several times; part of the results folder.
        display_name: for tables and plots; by default `name/parameter_name`.
        results_path: folder of all results; by default the environment's.

    Attributes:
        results_dir: `{results_path}/NAME/PARAMETER_NAME[_%03d]`.
    """

    def __init__(self, name: str, parameter_name: str, run_id: int | None = None,
                 display_name: str | None = None, results_path: str | Path | None = None) -> None:
        self.name = name
        self.parameter_name = parameter_name
        self.run_id = run_id
        self.display_name = display_name
        run = parameter_name if run_id is None else f'{parameter_name}_{run_id:03d}'
        self.results_dir = Path(results_path or local_env_settings().results_path) / name / run

    @property
    def label(self) -> str:
        """What tables and plots call it."""
        run = '' if self.run_id is None else f' #{self.run_id}'
        return self.display_name or f'{self.name}/{self.parameter_name}{run}'

    def get_tracker_class(self) -> type[BaseTracker]:
        """The tracker's class.

        Raises:
            UserError: unknown tracker; near names are given.
        """
        return plugins.load('pytracking.trackers', self.name)()

    def get_parameters(self) -> TrackerParams:
        """A fresh parameter object.

        Raises:
            UserError: unknown tracker or parameter name; near names are given.
            ImportError: comes through as it is when the parameter module fails to import.
        """
        package = plugins.load('pytracking.parameters', self.name)
        known = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
        if self.parameter_name not in known:
            kind = f'parameters of the tracker {self.name!r}'
            raise UserError(plugins.unknown(kind, self.parameter_name, known))
        module = importlib.import_module(f'{package.__name__}.{self.parameter_name}')
        if not hasattr(module, 'parameters'):
            raise UserError(f'{module.__file__} has no function parameters()')
        return module.parameters()

    def create_tracker(self, params: TrackerParams) -> BaseTracker:
        """A tracker object for one sequence."""
        return self.get_tracker_class()(params)

    def new_tracker(self, debug: int | bool = False, network: RunNetwork | None = None) -> BaseTracker:
        """A tracker object with fresh parameters; arguments as for `run_sequence`."""
        params = self.get_parameters()
        if network is not None:
            network.pin(params)
        params.tracker_name, params.param_name, params.run_id = self.name, self.parameter_name, self.run_id
        params.debug = int(debug) or params.get('debug', 0)
        if self.run_id is not None:  # repeated runs are for seeing the spread of the tracker's own draws
            params.set_default_values({'seed': self.run_id})
        return self.create_tracker(params)

    def run_sequence(self, seq: Sequence, debug: int | bool = False, progress: Callable[[int], Any] | None = None,
                     network: RunNetwork | None = None,
                     visualizer: Visualizer | None = None) -> dict[str, list[Any]]:
        """Track one sequence; nothing is written.

        Args:
            seq: the sequence; its first box is given to the tracker.
            debug: level handed to the tracker as `params.debug`; 0 keeps the parameters' own.
            progress: called with 1 after each frame.
            network: what all sequences of a run keep to; by default what the parameters name now.
            visualizer: shown every frame; its time does not count.

        Returns:
            `target_bbox`: the given box, then one box per frame (4 floats, `xywh`, image px); `time`:
                seconds.

        Raises:
            UserError: unreadable image, box outside the first image, or the network was replaced.
        """
        tracker = self.new_tracker(debug, network)
        info = seq.init_info()
        image = read_image(seq.frames[0])
        check_box(info['init_bbox'], image, seq.frames[0])
        start = time.perf_counter()
        output = tracker.initialize(image, info) or {}
        boxes = [[float(value) for value in info['init_bbox']]]
        seconds = [float(output.get('time', time.perf_counter() - start))]
        for number, path in enumerate(seq.frames):
            if number:
                image = read_image(path)
                start = time.perf_counter()
                output = tracker.track(image, {'previous_output': output})
                seconds.append(float(output.get('time', time.perf_counter() - start)))
                boxes.append(output_box(output, path))
            if visualizer is not None:
                visualizer.show(f'{seq.name} {number + 1}/{len(seq.frames)}', image,
                                {**_truth(seq, number), self.label: boxes[-1]}, output)
            if progress is not None:
                progress(1)
        return {'target_bbox': boxes, 'time': seconds}

    def __repr__(self) -> str:
        return f'Tracker({self.name!r}, {self.parameter_name!r}, run_id={self.run_id!r})'


def trackerlist(name: str, parameter_name: str, run_ids: int | Iterable[int | None] | None = None,
                display_name: str | None = None, results_path: str | Path | None = None) -> list[Tracker]:
    """One tracker per run number; a single one when there is one number or none."""
    ids = [run_ids] if run_ids is None or isinstance(run_ids, int) else list(run_ids)
    return [Tracker(name, parameter_name, run_id, display_name, results_path) for run_id in ids]


def check_box(box: list[float], image: np.ndarray, place: object, remedy: str = 'correct the ground truth') -> None:
    """Make sure that a first box, `xywh`, image px, is one that meets the image.

    Raises:
        UserError: it is not; `place` is named.
    """
    height, width = image.shape[:2]
    if not meets_image(box, width, height):
        raise UserError(f'the first {outside_image(box, place, width, height)}; {remedy}'.replace('  ', ' '))


def output_box(output: dict[str, Any], place: object) -> list[float]:
    """The box in a tracker's output, 4 floats, `xywh`, image px.

    Raises:
        ValueError: there is none, or it is no box; `place` is named.
    """
    box = [float(value) for value in output['target_bbox']]
    if len(box) != 4 or any(map(math.isinf, box)):
        raise ValueError(f'the tracker returned {box} instead of a box for {place}')
    return box


def _truth(seq: Sequence, number: int) -> dict[str, list[float]]:
    """The ground truth of one frame, by its label."""
    rows = seq.ground_truth_rect
    return {'ground truth': rows[number].tolist()} if number < len(rows) else {}
