"""This machine's paths for tracking: set them here, or by environment variables (see `environment.py`)."""

from __future__ import annotations

from pytracking.evaluation.environment import EnvSettings


def local_env_settings() -> EnvSettings:
    """Paths of the tracking side, read anew at each call.

    A data set that always lies in one place can be named here, before the last line, for example
    `settings.lsotb_tir_path = '/data/LSOTB-TIR'`; this then comes before the environment variable.
    """
    settings = EnvSettings()
    return settings
