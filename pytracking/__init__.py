"""Tracking side of the toolkit: trackers, their parameters, evaluation runs and analysis."""

from ltr.tensors import TensorDict, TensorList

__all__ = ['TensorDict', 'TensorList']
