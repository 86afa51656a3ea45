"""Tracking side of the toolkit: trackers, their parameters, evaluation runs and analysis.

    tracker = pytracking.build_tracker('dimp', 'dimp18')

Nothing is imported before it is used: `import pytracking` costs no torch and no OpenCV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltr.data.image_loader import read_image
    from ltr.tensors import TensorDict, TensorList
    from pytracking.evaluation.live import LiveTracker, build_tracker

__all__ = ['LiveTracker', 'TensorDict', 'TensorList', 'build_tracker', 'read_image']


def __getattr__(name: str) -> Any:
    if name in ('TensorDict', 'TensorList'):
        from ltr import tensors
        return getattr(tensors, name)
    if name == 'read_image':
        from ltr.data import image_loader
        return image_loader.read_image
    if name in ('LiveTracker', 'build_tracker'):
        from pytracking.evaluation import live
        return getattr(live, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
