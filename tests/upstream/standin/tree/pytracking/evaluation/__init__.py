from pytracking.evaluation.data import Sequence
from pytracking.evaluation.datasets import get_dataset
from pytracking.evaluation.tracker import Tracker, trackerlist

__all__ = ['Sequence', 'Tracker', 'get_dataset', 'trackerlist']
