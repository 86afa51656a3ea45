"""Paths of this machine; a `local.py` that cannot be imported is overwritten with defaults (a habit of stock)."""

import importlib
import os

DEFAULT = '''class EnvironmentSettings:
    def __init__(self):
        self.workspace_dir = ''
        self.tensorboard_dir = self.workspace_dir + '/tensorboard/'
        self.pretrained_networks = self.workspace_dir + '/pretrained_networks/'
        self.lasot_dir = ''
        self.got10k_dir = ''
'''


def env_settings():
    try:
        return importlib.import_module('ltr.admin.local').EnvironmentSettings()
    except Exception:
        place = os.path.join(os.path.dirname(__file__), 'local.py')
        with open(place, 'w') as file:
            file.write(DEFAULT)
        raise RuntimeError(f'{place} has been written with defaults: set your paths in it') from None
