"""How sure is child minus control: a bootstrap over videos and training seeds.

Runs of one video are no independent evidence, nor are the figures of one training: videos and seeds are drawn, each by
itself and with replacement, and everything that belongs to them comes along; their deviations add, so that what videos
and seeds have in common counts twice, to be on the safe side. Draws from few things spread too little: each part is
widened by sqrt(n / (n - 1)), and the whole by t / z ("expanded percentiles": Hesterberg, The American Statistician
2015), with Satterthwaite's degrees of freedom for the sum of the two parts. One seed alone tells nothing of seeds: then
the interval is one for this training only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

DRAWS = 10_000
LEVEL = 0.95
POWER = 0.8


@dataclass(frozen=True)
class Effect:
    """A mean difference, points.

    Attributes:
        mean: over runs and seeds as they are.
        low, high: ends of the 95 % interval.
        error: standard error.
        detectable: smallest true effect that such a test would find with 80 % probability.
        videos, runs, seeds: how many.
    """

    mean: float
    low: float
    high: float
    error: float
    detectable: float
    videos: int
    runs: int
    seeds: int

    def line(self) -> str:
        """In words."""
        if math.isnan(self.error):
            return f'{self.mean:+.2f} (one video alone: no interval)'
        if self.error == 0:
            return f'{self.mean:+.2f}, the same in every run'
        word = 'no clear difference' if self.low <= 0 <= self.high else 'clear'
        return (f'{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]: {word}; with 80 % the test would have seen '
                f'{self.detectable:.1f} or more')


def effect(differences: NDArray[np.floating], videos: Sequence[str], seed: int = 0, draws: int = DRAWS) -> Effect:
    """Mean of differences with its interval.

    Args:
        differences: (runs, seeds), points: child minus control of the same seed.
        videos: (runs,) what each run is a part of.
        seed: of the draws.
        draws: how many.

    Raises:
        ValueError: no run, no seed, or another number of videos.
    """
    runs, seeds = differences.shape
    if not differences.size or len(videos) != runs:
        raise ValueError(f'{differences.shape} differences of {len(videos)} runs')
    names = sorted(set(videos))
    count = len(names)
    member = np.array([[video == name for video in videos] for name in names], dtype=float)
    sums, sizes = member @ differences, member.sum(axis=1)
    mean = float(differences.mean())
    if count < 2:
        return Effect(mean, math.nan, math.nan, math.nan, math.nan, count, runs, seeds)
    rng = np.random.default_rng(seed)
    times = _draw(rng, count, draws)
    by_video = (times @ sums).mean(axis=1) / (times @ sizes) - mean
    by_seed = _draw(rng, seeds, draws) @ differences.mean(axis=0) / seeds - mean
    by_video, by_seed = by_video * _wider(count), by_seed * _wider(seeds)
    parts = float(by_video.var()), float(by_seed.var())
    error = math.sqrt(sum(parts))
    free = _freedom(parts, (count - 1, seeds - 1))
    t = float(stats.t.ppf((1 + LEVEL) / 2, free))
    ends = np.quantile(by_video + by_seed, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = mean + ends * t / float(stats.norm.ppf((1 + LEVEL) / 2))
    detectable = (t + float(stats.t.ppf(POWER, free))) * error
    return Effect(mean, float(low), float(high), error, detectable, count, runs, seeds)


def _draw(rng: np.random.Generator, count: int, draws: int) -> NDArray[np.float64]:
    """(draws, count) how often each is drawn."""
    return rng.multinomial(count, np.full(count, 1 / count), size=draws).astype(float)


def _wider(count: int) -> float:
    return math.sqrt(count / (count - 1)) if count > 1 else 1.0


def _freedom(parts: tuple[float, float], free: tuple[int, int]) -> float:
    """Satterthwaite's degrees of freedom of a sum of variances; parts without any freedom do not count."""
    known = [(part, n) for part, n in zip(parts, free, strict=True) if n > 0 and part > 0]
    return sum(part for part, _ in known) ** 2 / sum(part ** 2 / n for part, n in known) if known else float(free[0])
