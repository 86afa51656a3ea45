"""`python pytracking/run_tracker.py TRACKER PARAM`; the repository is appended to sys.path (a habit of stock)."""

import argparse
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), '..'))

from pytracking.evaluation import Tracker, get_dataset
from pytracking.evaluation.running import run_dataset


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('tracker_name')
    parser.add_argument('tracker_param')
    parser.add_argument('--runid', type=int)
    parser.add_argument('--dataset_name', default='otb')
    parser.add_argument('--sequence')
    parser.add_argument('--debug', type=int, default=0)
    parser.add_argument('--threads', type=int, default=0)
    options = parser.parse_args()
    dataset = get_dataset(options.dataset_name)
    if options.sequence is not None:
        dataset = [dataset[options.sequence]]
    tracker = Tracker(options.tracker_name, options.tracker_param, options.runid)
    run_dataset(dataset, [tracker], options.debug, options.threads)


if __name__ == '__main__':
    main()
