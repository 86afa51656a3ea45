"""Sequences and data sets."""

import numpy as np

from pytracking.evaluation.environment import env_settings


class BaseDataset:
    def __init__(self):
        self.env_settings = env_settings()

    def __len__(self):
        raise NotImplementedError

    def get_sequence_list(self):
        raise NotImplementedError


class Sequence:
    def __init__(self, name, frames, dataset, ground_truth_rect, ground_truth_seg=None, init_data=None,
                 object_class=None, target_visible=None, object_ids=None, multiobj_mode=None):
        self.name, self.frames, self.dataset = name, frames, dataset
        self.ground_truth_rect, self.ground_truth_seg = ground_truth_rect, ground_truth_seg
        self.object_class, self.target_visible, self.object_ids = object_class, target_visible, object_ids
        self.multiobj_mode = multiobj_mode
        self.init_data = init_data or {0: {'bbox': list(np.asarray(ground_truth_rect)[0, :])}}

    def init_info(self):
        return {'init_bbox': self.init_data[0]['bbox']}


class SequenceList(list):
    def __getitem__(self, item):
        if isinstance(item, str):
            return next(sequence for sequence in self if sequence.name == item)
        return super().__getitem__(item)
