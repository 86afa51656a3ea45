"""Stock parameters of the KYS tracker: DiMP's, at one scale."""

from __future__ import annotations

from pytracking.tracker.dimp.defaults import dimp_params
from pytracking.utils.params import TrackerParams


def kys_params(sample_size: int = 18 * 16) -> TrackerParams:
    """Parameters of KYS on crops of `sample_size` px; the caller adds `net`."""
    params = dimp_params(sample_size)
    params.fuse_response = True
    return params
