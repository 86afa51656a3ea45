"""Running trackers over sequences."""

from pytracking.evaluation.data import BaseDataset, Sequence, SequenceList
from pytracking.evaluation.datasets import dataset_dict, get_dataset, load_dataset
from pytracking.evaluation.tracker import Tracker, trackerlist

__all__ = ['BaseDataset', 'Sequence', 'SequenceList', 'Tracker', 'dataset_dict', 'get_dataset',
           'load_dataset', 'trackerlist']
