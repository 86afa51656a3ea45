"""A tracker with its parameters, ready to run over sequences."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltr.admin import plugins
from ltr.admin.errors import UserError
from ltr.admin.users_code import import_users
from ltr.data.image_loader import read_image
from pytracking.evaluation.data import Sequence
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.network_record import RunNetwork
from pytracking.evaluation.sequence_run import SequenceRun
from pytracking.features.speed import preset
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
        speed: preset, see `pytracking.features.speed`; by default what the parameters say.

    Raises:
        UserError: unknown speed.

    Attributes:
        results_dir: `{results_path}/NAME/PARAMETER_NAME[_%03d]`.
    """

    def __init__(self, name: str, parameter_name: str, run_id: int | None = None,
                 display_name: str | None = None, results_path: str | Path | None = None,
                 speed: str | None = None) -> None:
        if run_id is not None and run_id < 0:
            raise UserError(f'the number of a run must be 0 or more, not {run_id}')
        self.name = name
        self.parameter_name = parameter_name
        self.run_id = run_id
        self.display_name = display_name
        self.speed = speed if speed is None else preset(speed).name
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
            UserError: unknown tracker or parameter name; near names are given. Or the device does not have the speed,
                or the tracker no network whose speed can be chosen.
            ImportError: comes through as it is when the parameter module fails to import.
        """
        package = plugins.load('pytracking.parameters', self.name)
        known = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
        if self.parameter_name not in known:
            kind = f'parameters of the tracker {self.name!r}'
            raise UserError(plugins.unknown(kind, self.parameter_name, known))
        module = import_users(f'{package.__name__}.{self.parameter_name}')
        if not hasattr(module, 'parameters'):
            raise UserError(f'{module.__file__} has no function parameters(): write one')
        params = module.parameters()
        if not isinstance(params, TrackerParams):
            raise UserError(f'{module.__file__}: parameters() must give TrackerParams, not {type(params).__name__}')
        if self.speed is not None:
            choose = getattr(getattr(params, 'net', None), 'choose', None)
            if not callable(choose):
                raise UserError(f'the tracker {self.label} has no network whose speed can be chosen: leave out --speed')
            choose(self.speed)
        return params

    def notice(self, params: TrackerParams) -> None:
        """Say on stderr when the preset of these parameters is another one than was asked for."""
        found = params.net.speed.name if self.speed is not None else None
        if found != self.speed:
            print(f'notice: --speed {self.speed} is {found} on {params.net.device}, which has nothing faster that is '
                  'exact enough', file=sys.stderr)

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
                     visualizer: Visualizer | None = None) -> dict[str, Any]:
        """Track one sequence; nothing is written.

        Args:
            seq: the sequence; its first box is given to the tracker.
            debug: level handed to the tracker as `params.debug`; 0 keeps the parameters' own.
            progress: called with 1 after each frame.
            network: what all sequences of a run keep to; by default what the parameters name now.
            visualizer: shown every frame; its time does not count.

        Returns:
            `target_bbox`: the given box, then one box per frame (4 floats, `xywh`, image px); `time`:
                seconds; `blind`: number of frames whose scores were not finite (confidence NaN).

        Raises:
            UserError: unreadable image, box outside the first image, or the network was replaced.
        """
        run = SequenceRun(self.new_tracker(debug, network), seq)
        for number, path in enumerate(seq.frames):
            image = read_image(path)
            run.frame(image)
            if visualizer is not None:
                visualizer.show(f'{seq.name} {number + 1}/{len(seq.frames)}', image,
                                {**_truth(seq, number), self.label: run.boxes[-1]}, run.output)
            if progress is not None:
                progress(1)
        return run.found

    def __repr__(self) -> str:
        return f'Tracker({self.name!r}, {self.parameter_name!r}, run_id={self.run_id!r})'


def trackerlist(name: str, parameter_name: str, run_ids: int | Iterable[int | None] | None = None,
                display_name: str | None = None, results_path: str | Path | None = None) -> list[Tracker]:
    """One tracker per run number; a single one when there is one number or none."""
    ids = [run_ids] if run_ids is None or isinstance(run_ids, int) else list(run_ids)
    return [Tracker(name, parameter_name, run_id, display_name, results_path) for run_id in ids]


def _truth(seq: Sequence, number: int) -> dict[str, list[float]]:
    """The ground truth of one frame, by its label."""
    rows = seq.ground_truth_rect
    return {'ground truth': rows[number].tolist()} if number < len(rows) else {}
