"""The command `table1`."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Sequence
from pathlib import Path

from cmd_plugin.errors import UserError
from cmd_plugin.recipes import recipe_of
from cmd_plugin.table1.paper import PAPER
from cmd_plugin.table1.plan import from_options, workspaces
from cmd_plugin.table1.report import TITLES, figures, table
from cmd_plugin.table1.stages import one_seed
from pytracking.analysis import get_protocol
from pytracking.analysis.extract_results import TrackerResult

Results = dict[str, TrackerResult]
OWN = ('init', 'net', 'data', 'dataset_path', 'sequences', 'max_frames')


def run(options: argparse.Namespace) -> None:
    """Make the table of a command line and print it.

    Raises:
        UserError: of the options, or of any stage.
    """
    start = time.monotonic()
    if options.protocol is not None:
        get_protocol(options.protocol)
    tables = _world(options) if options.world else [_own(options)]
    print('\n' + '\n\n'.join(tables))
    print(f'finished in {(time.monotonic() - start) / 60:.1f} minutes')


def _own(options: argparse.Namespace) -> str:
    """The table on data of one's own."""
    plan = from_options(options)
    found = []
    for seed, folder in workspaces(options).items():
        stage = Stage(f'{plan.tracker}, seed {seed}')
        found.append(one_seed(plan, seed, folder, stage))
        stage.tell(found[-1])
    return table(plan.tracker, found, list(workspaces(options)))


def _world(options: argparse.Namespace) -> list[str]:
    """A table a tracker on the generated world, every seed with a world of its own.

    World and parents are shared with the demo; its d3 descends straight from the parent, so rows have their own folder.
    """
    from cmd_plugin.table1.world import world_plan
    given = [f'--{name.replace("_", "-")}' for name in OWN if getattr(options, name)]
    if given:
        raise UserError(f'--world brings its own parent, pairs and sequences: leave {", ".join(given)} out')
    trackers = options.tracker or list(PAPER)
    strangers = [tracker for tracker in trackers if tracker not in PAPER]
    if strangers:
        raise UserError(f'--world has parents for {" and ".join(PAPER)} alone, not for {strangers[0]}')
    for tracker, row in itertools.product(trackers, options.rows or ()):
        recipe_of(tracker, row)
    root = (options.workspace or Path('workspace') / 'demo').expanduser().resolve() / options.size
    seeds = range(options.seed, options.seed + options.seeds)
    found: dict[str, list[Results]] = {tracker: [] for tracker in trackers}
    for seed in seeds:
        for tracker in trackers:
            stage = Stage(f'{tracker}, seed {seed}')
            stage('world and parent')
            plan = world_plan(options, tracker, seed, root / f'seed_{seed}')
            found[tracker].append(one_seed(plan, seed, root / f'seed_{seed}' / 'table1', stage))
            stage.tell(found[tracker][-1])
    return [table(tracker, results, seeds) for tracker, results in found.items()]


class Stage:
    """Prints one line a stage, under the same heading."""

    def __init__(self, heading: str) -> None:
        self.heading = heading

    def __call__(self, text: str) -> None:
        print(f'\n== {self.heading}: {text}', flush=True)

    def tell(self, results: Results) -> None:
        """One line a row of what came out."""
        self('result')
        for row, result in results.items():
            print(f'{row}: {_shown(figures(result))}')


def _shown(values: Sequence[float | None]) -> str:
    return ', '.join(f'{title} {"-" if value is None else f"{value:.1f}"}'
                     for title, value in zip(TITLES, values, strict=True))
