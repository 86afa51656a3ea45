"""Where tracking results, networks, plots and data sets lie."""

from __future__ import annotations

import os
from pathlib import Path

from ltr.admin.environment import check_folders, env_settings
from ltr.admin.users_code import call_users

LOCAL = 'pytracking.evaluation.local'


class EnvSettings:
    """Paths of the tracking side.

    Each has a default below the workspace and may be set by `PYTRACKING_<NAME IN CAPITALS>` (for example
    `PYTRACKING_RESULTS_PATH`). Data-set paths (`lsotb_tir_path`: `PYTRACKING_LSOTB_TIR_PATH`) have no
    default: they are '' unless set in the environment or in `local.py`.

    Attributes:
        results_path: raw results, one folder per tracker and parameters.
        network_path: folders that are searched for networks, in this order; the variable may hold several,
            separated as in PATH.
        result_plot_path: plots and reports.
    """

    def __init__(self, workspace_dir: str | Path | None = None) -> None:
        workspace = Path(workspace_dir or env_settings().workspace_dir)
        networks = _variable('network_path')
        self.results_path = _variable('results_path') or str(workspace / 'tracking_results')
        self.network_path = networks.split(os.pathsep) if networks else [
            str(workspace / 'networks'), str(workspace / 'checkpoints')]
        self.result_plot_path = _variable('result_plot_path') or str(workspace / 'result_plots')

    def __getattr__(self, name: str) -> str:
        """Any other `*_path` is a data set's: '' where nobody has set it."""
        if name.startswith('_') or not name.endswith('_path'):
            raise AttributeError(f'no path {name!r} in the environment settings')
        return _variable(name)


def local_env_settings() -> EnvSettings:
    """What the user's `local.py` gives, read anew at each call.

    Raises:
        UserError: an error in that file, or a value in it that is no folder.
    """
    settings: EnvSettings = call_users(LOCAL, 'local_env_settings')
    check_folders(settings, LOCAL, ('results_path', 'network_path', 'result_plot_path'), lists=('network_path',))
    return settings


def _variable(name: str) -> str:
    return os.environ.get(f'PYTRACKING_{name.upper()}', '')
