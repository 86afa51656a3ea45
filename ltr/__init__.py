"""Training side of the toolkit: data, models, actors, trainers and the stock train settings."""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {'load_network': 'ltr.admin.loading', 'model_constructor': 'ltr.admin.model_constructor',
           'MultiGPU': 'ltr.admin.multigpu'}


def __getattr__(name: str) -> Any:
    """The public names, imported when first used: commands that need no network start without torch."""
    if name not in _PUBLIC:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(_PUBLIC[name]), name)
