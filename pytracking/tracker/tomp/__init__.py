"""ToMP: target classification and boxes by filters that a transformer predicts."""

from pytracking.tracker.tomp.tomp import ToMP


def get_tracker_class() -> type[ToMP]:
    """The tracker's class."""
    return ToMP


__all__ = ['ToMP', 'get_tracker_class']
