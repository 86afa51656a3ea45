"""Data sets by name."""

import importlib
from collections import namedtuple

from pytracking.evaluation.data import SequenceList

DatasetInfo = namedtuple('DatasetInfo', ['module', 'class_name', 'kwargs'])

dataset_dict = {'otb': DatasetInfo('pytracking.evaluation.otbdataset', 'OTBDataset', {})}


def load_dataset(name):
    info = dataset_dict.get(name.lower())
    if info is None:
        raise ValueError(f'Unknown dataset {name!r}')
    return getattr(importlib.import_module(info.module), info.class_name)(**info.kwargs).get_sequence_list()


def get_dataset(*names):
    found = SequenceList()
    for name in names:
        found.extend(load_dataset(name))
    return found
