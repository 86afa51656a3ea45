"""ATOM: online target classification with Gauss-Newton, box refinement by predicted IoU."""

from pytracking.tracker.atom.atom import ATOM


def get_tracker_class() -> type[ATOM]:
    """The tracker's class."""
    return ATOM


__all__ = ['ATOM', 'get_tracker_class']
