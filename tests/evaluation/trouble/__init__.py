"""A tracker that makes trouble, offered through PYTRACKING_PLUGINS: its parameter modules lie here."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from pytracking.tracker.base import BaseTracker

PLUGIN = 'tests=tests.evaluation.dummy_plugin,trouble=tests.evaluation.trouble'
entry_points = {
    'pytracking.trackers': {'trouble': 'tests.evaluation.trouble:get_tracker_class'},
    'pytracking.parameters': {'trouble': 'tests.evaluation.trouble'},
}


class TroubleTracker(BaseTracker):
    """Stays where it is. On images narrower than 30 px it does what `params.trouble` says."""

    def initialize(self, image, info):
        self.box, self.frame, self.narrow = list(info['init_bbox']), 1, image.shape[1] < 30
        return {}

    def track(self, image, info):
        self.frame += 1
        trouble = self.params.get('trouble', '')
        if self.narrow and self.frame == 3:
            if trouble == 'death':
                os._exit(9)
            if trouble == 'once':
                mark = Path(os.environ['TROUBLE_MARK'])
                if not mark.exists():
                    mark.touch()
                    raise RuntimeError('the first time')
        scores = np.zeros((5, 7))
        scores[1, 5] = 0.75
        x, y, w, h = self.box
        return {'target_bbox': self.box, 'confidence': 0.75, 'score_map': scores,
                'search_area': [x - w, y - h, 3 * w, 3 * h]}


def get_tracker_class():
    return TroubleTracker
