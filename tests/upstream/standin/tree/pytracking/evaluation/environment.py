"""Paths of this machine; a `local.py` that cannot be imported is overwritten with defaults (a habit of stock)."""

import importlib
import os

DEFAULT = '''from pytracking.evaluation.environment import EnvSettings


def local_env_settings():
    settings = EnvSettings()
    settings.network_path = ''
    return settings
'''


class EnvSettings:
    def __init__(self):
        here = os.path.abspath(os.path.join(os.path.dirname(__file__), '..'))
        self.results_path = f'{here}/tracking_results/'
        self.network_path = f'{here}/networks/'
        self.result_plot_path = f'{here}/result_plots/'
        self.otb_path = ''


def env_settings():
    try:
        return importlib.import_module('pytracking.evaluation.local').local_env_settings()
    except Exception:
        place = os.path.join(os.path.dirname(__file__), 'local.py')
        with open(place, 'w') as file:
            file.write(DEFAULT)
        raise RuntimeError(f'{place} has been written with defaults: set your paths in it') from None
