"""How sure is the difference of two trackers: a paired bootstrap over sequences.

Both trackers are seen on the same sequences, so a draw takes the same sequences for both (Efron and Tibshirani, *An
Introduction to the Bootstrap*, 1993, Sec. 13.3: percentile interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytracking.analysis.evaluate import Result
from pytracking.analysis.protocols import MeasureName

DRAWS = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """First minus second tracker, ranking figures in [0, 1].

    Attributes:
        measure: which figure.
        difference: over the sequences as they are.
        low, high: ends of the interval.
        level: share of the draws between them.
        share_above: share of the draws in which the first tracker is ahead; ties count half.
        sequences, draws: how many.
    """

    measure: MeasureName
    difference: float
    low: float
    high: float
    level: float
    share_above: float
    sequences: int
    draws: int

    def line(self) -> str:
        """In words, x 100."""
        word = 'no clear difference' if self.low <= 0 <= self.high else (
            'the first is better' if self.low > 0 else 'the second is better')
        return (f'{100 * self.difference:+.2f} [{100 * self.low:+.2f}, {100 * self.high:+.2f}], '
                f'first ahead in {100 * self.share_above:.1f} % of the draws: {word}')


def paired_bootstrap(first: Result, second: Result, measure: MeasureName, draws: int = DRAWS, level: float = LEVEL,
                     seed: int = 0) -> Difference:
    """Confidence interval for the difference of two trackers' ranking figures.

    A draw takes S of the S sequences with replacement and counts as the protocol does (sequences dropped, frames
    pooled). All draws are one matrix product: ranking figures are linear in the curves.

    Args:
        first, second: the same protocol and sequences.
        measure: one that the protocol has.
        draws: number of draws.
        level: share of the draws that the interval holds.
        seed: same seed, same interval.

    Raises:
        ValueError: unlike results, no such measure, no draw, or a level outside (0, 1).
    """
    if first.protocol is not second.protocol or first.sequences != second.sequences:
        raise ValueError('results of different protocols or sequences cannot be paired')
    if measure not in first.curves:
        raise ValueError(f'protocol {first.protocol.name} has no {measure}')
    if draws < 1 or not 0 < level < 1:
        raise ValueError(f'draws must be >= 1 and level in (0, 1), got {draws} and {level}')
    count = len(first.sequences)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws).astype(float)
    drawn = _figures(first, measure, times) - _figures(second, measure, times)
    everything = np.ones((1, count))
    difference = _figures(first, measure, everything) - _figures(second, measure, everything)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    ahead = (drawn > 0).mean() + (drawn == 0).mean() / 2
    return Difference(measure, float(difference[0]), float(low), float(high), level, float(ahead), count, draws)


def _figures(result: Result, measure: MeasureName, times: np.ndarray) -> np.ndarray:
    """(draws,) ranking figures when sequence s counts times[:, s] times."""
    curves = result.curves[measure]
    weights = (result.frames if result.protocol.averaging == 'frames' else result.frames > 0).astype(float)
    if result.protocol.drop_zero_curves:
        weights = weights * (curves > 0).any(axis=1)
    figures = np.asarray(result.protocol.measures[measure].figure(curves), dtype=float)
    total = times @ weights
    return np.divide(times @ (weights * figures), total, out=np.zeros(len(times)), where=total > 0)
