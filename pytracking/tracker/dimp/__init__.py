"""DiMP: online target classification with a predicted filter, box refinement by predicted IoU."""

from pytracking.tracker.dimp.dimp import DiMP


def get_tracker_class() -> type[DiMP]:
    """The tracker's class."""
    return DiMP


__all__ = ['DiMP', 'get_tracker_class']
