"""Tracker parameters that the plugin adds."""
