"""Trackers that need no network, offered through PYTRACKING_PLUGINS."""

from __future__ import annotations

import time

import numpy as np

from pytracking.tracker.base import BaseTracker

entry_points = {
    'pytracking.trackers': {'dummy': 'tests.evaluation.dummy_plugin:get_tracker_class'},
    'pytracking.parameters': {'dummy': 'tests.evaluation.dummy_parameters'},
    'pytracking.datasets': {'folder': 'pytracking.evaluation.folderdataset:FolderDataset',
                            'thermal': 'tests.evaluation.dummy_plugin:thermal'},
}


class DummyTracker(BaseTracker):
    """Moves the given box by `params.step` px a frame, plus seeded noise of `params.noise` px."""

    def initialize(self, image, info):
        if image.shape[1] < self.params.get('least_width', 0):
            raise RuntimeError(f'image too narrow:\n{image.shape[1]}')
        self.box = np.array(info['init_bbox'], dtype=float)
        return {}

    def track(self, image, info):
        assert image.dtype == np.uint8 and image.shape[2] == 3
        time.sleep(self.params.get('sleep', 0))
        self.box[:2] += self.params.step + self.params.get('noise', 0) * np.random.randn(2)
        return {'target_bbox': self.box.tolist()}


def get_tracker_class():
    return DummyTracker


def thermal(root):
    from pytracking.evaluation.folderdataset import FolderDataset
    return FolderDataset(root, 'thermal', protocol='ptb')


