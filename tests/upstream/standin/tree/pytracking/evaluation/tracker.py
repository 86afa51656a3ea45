"""Trackers by name: a tracker is there if there is a folder of its name (a habit of stock)."""

import importlib
import os
import time

import cv2

from pytracking.evaluation.environment import env_settings


def trackerlist(name, parameter_name, run_ids=None, display_name=None):
    ids = [run_ids] if run_ids is None or isinstance(run_ids, int) else run_ids
    return [Tracker(name, parameter_name, run_id, display_name) for run_id in ids]


class Tracker:
    def __init__(self, name, parameter_name, run_id=None, display_name=None):
        self.name, self.parameter_name, self.run_id, self.display_name = name, parameter_name, run_id, display_name
        run = parameter_name if run_id is None else f'{parameter_name}_{run_id:03d}'
        self.results_dir = f'{env_settings().results_path}/{name}/{run}'
        folder = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', 'tracker', name))
        self.class_of_tracker = None
        if os.path.isdir(folder):
            self.class_of_tracker = importlib.import_module(f'pytracking.tracker.{name}').get_tracker_class()

    def get_parameters(self):
        return importlib.import_module(f'pytracking.parameter.{self.name}.{self.parameter_name}').parameters()

    def run_sequence(self, seq, debug=None):
        params = self.get_parameters()
        params.debug = debug or 0
        tracker = self.class_of_tracker(params)
        info = seq.init_info()
        boxes, times = [info['init_bbox']], [0.0]
        output = tracker.initialize(read(seq.frames[0]), info) or {}
        for frame in seq.frames[1:]:
            start = time.time()
            output = tracker.track(read(frame), {'previous_output': output})
            boxes.append(output['target_bbox'])
            times.append(output.get('time', time.time() - start))
        return {'target_bbox': boxes, 'time': times}


def read(path):
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
