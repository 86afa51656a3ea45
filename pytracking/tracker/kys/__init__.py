"""KYS: DiMP that knows the surroundings of its target."""

from pytracking.tracker.kys.kys import KYS


def get_tracker_class() -> type[KYS]:
    """The tracker's class."""
    return KYS


__all__ = ['KYS', 'get_tracker_class']
