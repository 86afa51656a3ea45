"""Where on the score map is the target, and how sure is that? (DiMP / ATOM advanced localisation)"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytracking.utils.params import TrackerParams


@dataclass(frozen=True)
class Peak:
    """Outcome of a localisation.

    Attributes:
        translation: (y, x) from the sample's centre, image px.
        scale_index: row of the score maps it was found in.
        score: the peak's score.
        flag: `normal`, `hard_negative`, `uncertain`, `not_found`, or `None` (basic localisation).
    """

    translation: np.ndarray
    scale_index: int
    score: float
    flag: str | None


def blind(scores: np.ndarray) -> Peak | None:
    """`not_found`, with a score that is no number, for maps (scales, H', W') that are not finite; else None.

    Such maps say nothing: an argmax would move the box to the first broken cell.
    """
    return None if np.isfinite(scores).all() else Peak(np.zeros(2), 0, float('nan'), 'not_found')


def maximum(scores: np.ndarray) -> tuple[float, np.ndarray]:
    """Greatest value of a map (H', W') and its (row, column); the first column, then the first row, wins ties."""
    column, row = divmod(int(scores.T.argmax()), scores.shape[0])
    return float(scores[row, column]), np.array([row, column])


def hann2d(size: tuple[int, int]) -> np.ndarray:
    """Hann window of a score map, without its zeros."""
    rows, columns = ((1 - np.cos(2 * np.pi * np.arange(1, s + 1) / (s + 1))) / 2 for s in size)
    return np.outer(rows, columns)


def localize(scores: np.ndarray, cell: np.ndarray, scales: np.ndarray, neighbourhood: np.ndarray,
             previous: np.ndarray, params: TrackerParams, window: np.ndarray | None = None,
             centre: np.ndarray | None = None) -> Peak:
    """Find the target.

    Args:
        scores: (scales, H', W').
        cell: (y, x) crop px a score cell.
        scales: image px a crop px, of every map.
        neighbourhood: (scales, 2) size (y, x) of the area that counts as the target itself, score cells.
        previous: (scales, 2) previous target position from the sample's centre (y, x), score cells.
        params: thresholds, see the parameter files.
        window: weights of the score map; then the first peak is found on the windowed map.
        centre: index (y, x) of the sample's centre on the map; its middle by default.

    Returns:
        The peak. With advanced localisation, a second peak elsewhere decides about the flag.
    """
    found = [maximum(s if window is None else s * window) for s in scores]
    best = int(np.argmax([value for value, _ in found]))
    score, index = found[best]
    centre = (np.array(scores.shape[1:]) - 1) / 2 if centre is None else centre
    first = index - centre
    to_image = cell * scales[best]
    if not params.get('advanced_localization', False):
        return Peak(first * to_image, best, score, None)
    for name, flag in (('target_not_found_threshold', 'not_found'), ('uncertain_threshold', 'uncertain'),
                       ('hard_sample_threshold', 'hard_negative')):
        if score < params.get(name, -np.inf):
            return Peak(first * to_image, best, score, flag)
    rival, rival_index = maximum(_masked(scores[best], index, neighbourhood[best]))
    second = rival_index - centre
    flag, moved = _decide(score, rival, float(np.linalg.norm(first - previous[best])),
                          float(np.linalg.norm(second - previous[best])),
                          params.displacement_scale * np.sqrt(np.prod(scores.shape[1:])) / 2, params)
    return Peak((second if moved else first) * to_image, best, score, flag)


def _masked(scores: np.ndarray, index: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Copy of a map whose surroundings of `index` are zero."""
    low = np.maximum(np.round(index - size / 2), 0).astype(int)
    high = np.minimum(np.round(index + size / 2 + 1), scores.shape).astype(int)
    masked = scores.copy()
    masked[low[0]:high[0], low[1]:high[1]] = 0
    return masked


def _decide(first: float, second: float, way: float, rival_way: float, limit: float,
            params: TrackerParams) -> tuple[str, bool]:
    """Flag, and whether the second peak is the target: way and rival_way are distances from the previous place."""
    if second > params.distractor_threshold * first:
        if rival_way > limit and way < limit:
            return 'hard_negative', False
        if rival_way < limit and way > limit:
            return 'hard_negative', True
        return 'uncertain', False
    if second > params.hard_negative_threshold * first and second > params.target_not_found_threshold:
        return 'hard_negative', False
    return 'normal', False
