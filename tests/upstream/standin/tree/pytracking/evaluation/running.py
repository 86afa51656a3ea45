"""Runs: results cut to whole numbers, exceptions printed and swallowed, processes spawned (habits of stock)."""

import multiprocessing
import os
from itertools import product

import numpy as np


def run_sequence(seq, tracker, debug=False):
    path = os.path.join(tracker.results_dir, seq.name)
    if os.path.isfile(f'{path}.txt'):
        return
    try:
        output = tracker.run_sequence(seq, debug=debug)
    except Exception as error:
        print(error)
        return
    os.makedirs(tracker.results_dir, exist_ok=True)
    np.savetxt(f'{path}.txt', np.array(output['target_bbox']).astype(int), delimiter='\t', fmt='%d')
    np.savetxt(f'{path}_time.txt', np.array(output['time']), fmt='%f')
    print(f'{seq.name}: {len(output["time"])} frames')


def run_dataset(dataset, trackers, debug=False, threads=0, visdom_info=None):
    tasks = [(seq, tracker, debug) for seq, tracker in product(dataset, trackers)]
    if threads == 0:
        for task in tasks:
            run_sequence(*task)
    else:
        multiprocessing.set_start_method('spawn', force=True)
        with multiprocessing.Pool(processes=threads) as pool:
            pool.starmap(run_sequence, tasks)
    print('Done')
