"""A small analysis with everything in it, for the tests of tables, plots and pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pytracking.analysis.extract_results import ResultsFolder, extract_results
from pytracking.analysis.published import Published
from pytracking.analysis.summary import Analysis
from pytracking.evaluation.data import Sequence, SequenceList
from pytracking.evaluation.results import write_results

ATTRIBUTES = {'a': {'occlusion', 'fast motion'}, 'b': {'occlusion'}, 'c': {'low resolution'}, 'd': set()}


def make_sequences(count: int = 30, names: tuple[str, ...] = tuple(ATTRIBUTES)) -> SequenceList:
    """Boxes that wander over a picture of 320 x 240, without pictures."""
    rng = np.random.default_rng(0)
    sequences = SequenceList()
    for name in names:
        centres = np.array([150, 110]) + rng.normal(0, 2, (count, 2)).cumsum(axis=0)
        boxes = np.concatenate([centres - 15, np.full((count, 2), 30.0)], axis=1)
        sequences.append(Sequence(name, [''] * count, 'test', boxes, second_ground_truth_rect=boxes + 1,
                                  attributes=ATTRIBUTES.get(name, ())))
    return sequences


def save_tracker(folder: Path, sequences: SequenceList, noise: float, seed: int) -> ResultsFolder:
    """Results that lie `noise` px beside the truth, at 20 frames/s."""
    rng = np.random.default_rng(seed)
    for sequence in sequences:
        boxes = sequence.ground_truth_rect + rng.normal(0, noise, sequence.ground_truth_rect.shape)
        boxes[:, 2:] = np.abs(boxes[:, 2:]) + 1
        write_results(folder, sequence.name, boxes, np.full(len(boxes), 0.05))
    return ResultsFolder(folder.name, folder)


def make_analysis(folder: Path, protocol: str = 'lsotb', sequences: SequenceList | None = None) -> Analysis:
    """Three trackers, three attributes, a published row; one true and one predicted box are NaN."""
    sequences = make_sequences() if sequences is None else sequences
    trackers = [save_tracker(folder / name, sequences, noise, seed)
                for seed, (name, noise) in enumerate({'good': 2.0, 'fair': 5.0, 'poor': 12.0}.items())]
    sequences[0].ground_truth_rect[5] = np.nan
    boxes = sequences[1].ground_truth_rect.copy()
    boxes[7] = np.nan
    write_results(trackers[0].results_dir, sequences[1].name, boxes, np.full(len(boxes), 0.05))
    published = [Published('Others', 0.5, 0.625, None, 'a paper, Table 1')]
    return Analysis('test', sequences, extract_results(trackers, sequences, protocol=protocol), published)
