"""Prints what a settings file sees."""

import importlib.util
import json
import sys
from pathlib import Path

from ltr.admin.settings import Settings


def run(settings: Settings) -> None:
    state = settings.__getstate__()
    state['first_path'] = str(Path(sys.path[0]).resolve())
    state['sees'] = [name for name in ('dataset', 'data', 'trainers') if importlib.util.find_spec(name)]
    state['workspace'] = str(settings.env.workspace_dir)
    print(json.dumps(state))
