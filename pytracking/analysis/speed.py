"""How long an evaluation takes, on boxes made up in memory: `python -m pytracking.benchmark evaluation`."""

from __future__ import annotations

import time

import numpy as np

from pytracking.analysis.evaluate import evaluate
from pytracking.evaluation.data import Sequence

# name -> protocol, trackers, sequences, frames of a tracker: the size of a benchmark's whole comparison
SIZES = {'LSOTB-TIR': ('lsotb', 37, 120, 82_133), 'LasHeR': ('lasher', 2, 245, 220_703)}


def evaluation_times() -> dict[str, dict[str, float]]:
    """Seconds to evaluate trackers by the sizes of `SIZES`, and what was evaluated."""
    return {name: {'trackers': trackers, 'sequences': sequences, 'frames': frames,
                   'seconds': _seconds(protocol, trackers, sequences, frames)}
            for name, (protocol, trackers, sequences, frames) in SIZES.items()}


def evaluation_lines(times: dict[str, dict[str, float]]) -> list[str]:
    """The same as text."""
    return [f'evaluation of {name} size by protocol {SIZES[name][0]}: {row["trackers"]:.0f} trackers x '
            f'{row["sequences"]:.0f} sequences, {row["frames"]:,.0f} frames a tracker: {row["seconds"]:.2f} s'
            for name, row in times.items()]


def _seconds(protocol: str, trackers: int, count: int, frames: int) -> float:
    """Time of the evaluation alone; lengths of sequences vary as those of real ones."""
    rng = np.random.default_rng(0)
    lengths = 2 + rng.multinomial(frames - 2 * count, rng.dirichlet(np.ones(count)))
    sequences = []
    for number, length in enumerate(lengths):
        boxes = np.concatenate([rng.uniform(1, 500, (length, 2)), rng.uniform(8, 90, (length, 2))], axis=1)
        sequences.append(Sequence(f'{number:03d}', [''] * int(length), 'made up', boxes))
    total = 0.0
    for _ in range(trackers):
        predictions = {item.name: item.ground_truth_rect + rng.normal(0, 9, item.ground_truth_rect.shape)
                       for item in sequences}
        start = time.perf_counter()
        evaluate(predictions, sequences, protocol)
        total += time.perf_counter() - start
    return total
