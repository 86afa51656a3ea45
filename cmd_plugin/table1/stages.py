"""The stages of a table: networks in the order of their descent, and tracking. What is finished is not done again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cmd_plugin import checkpoints
from cmd_plugin.demo.steps import environment
from cmd_plugin.errors import UserError
from cmd_plugin.recipes import recipe_of, with_ancestors
from cmd_plugin.table1.plan import Plan
from ltr.run_training import run_training
from pytracking.analysis.extract_results import TrackerResult, extract_results
from pytracking.evaluation import Tracker
from pytracking.evaluation.environment import local_env_settings
from pytracking.evaluation.running import run_dataset

Say = Callable[[str], None]


def one_seed(plan: Plan, seed: int, workspace: Path, say: Say) -> dict[str, TrackerResult]:
    """Train and track the rows of a plan, ancestors first; returns the results of its rows.

    Raises:
        UserError: of any stage.
    """
    results: dict[str, TrackerResult] = {}
    variables = {'PYTRACKING_WORKSPACE_DIR': str(workspace), 'CMD_BOXES': str(plan.boxes or ''), 'CMD_INIT': ''}
    with environment(variables):
        for row in with_ancestors(plan.tracker, plan.rows):
            path = _network(plan, row, seed, say)
            if row in plan.rows:
                results[row] = _track(plan, row, path, say)
    return results


def _network(plan: Plan, row: str, seed: int, say: Say) -> Path:
    """Make the network of a row, or go on with it; returns its checkpoint.

    Where nothing is given to make it of (no `--init`, no pairs), the one that is there is kept.
    """
    recipe = recipe_of(plan.tracker, row)
    there = checkpoints.newest(row, plan.tracker)
    source = plan.init if row == 'a1' else plan.data or os.environ.get('CMD_DATA') or not recipe.components
    if there is not None and not source:
        say(f'{row}: {there} is kept')
        return there
    say(f'{row}: {recipe.summary}' + (f' (on from {there.name})' if there is not None and recipe.components else ''))
    rates = {name: plan.rates[name] for name in recipe.components} if plan.rates else {}
    with environment({'CMD_LR': ','.join(f'{name}={rate}' for name, rate in rates.items())} if rates else {}):
        run_training(plan.tracker, row, seed=seed, net=plan.net, data=list(plan.data) if plan.data else None,
                     init=plan.init if row == 'a1' else None, **plan.training)
    path = checkpoints.newest(row, plan.tracker)
    assert path is not None
    return path


def _track(plan: Plan, row: str, network: Path, say: Say) -> TrackerResult:
    """Track the sequences with a network; results of other epochs lie in other folders."""
    epoch = network.name.removesuffix('.pth.tar').rpartition('_')[2]
    say(f'{row}: tracking {len(plan.sequences)} sequences with {network.name}')
    folder = Path(local_env_settings().results_path) / 'table1' / plan.dataset / epoch
    tracker = Tracker(plan.tracker, row, display_name=row, results_path=folder)
    report = run_dataset(plan.sequences, [tracker], threads=plan.threads)
    if report.failures:
        raise UserError(f'{row}: {len(report.failures)} of {len(plan.sequences)} sequences failed (above): the same '
                        'command goes on with them')
    return extract_results([tracker], plan.sequences, protocol=plan.protocol)[0]
