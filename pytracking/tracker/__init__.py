"""Trackers: each sub-package has `get_tracker_class()`; the entry points name it."""
