"""A slow reference of all protocols, frame by frame in plain Python, written from their descriptions."""

from __future__ import annotations

import math

# how a protocol counts, by name
FAMILY = {'lsotb': 'lsotb', 'lsotb119': 'lsotb', 'ptb': 'lsotb', 'lasher': 'lsotb', 'pytracking': 'pytracking',
          'rgbt234': 'plain', 'rgbt210': 'plain', 'gtot': 'plain'}
ROUNDED = ('rgbt234', 'rgbt210', 'gtot', 'lasher')
TWO_TRUTHS = ('rgbt234', 'gtot')
FIRST_AS_PREDICTED = ('rgbt234', 'gtot')


def reference(pred, truths, name):
    """Curves of one sequence: success, precision, norm_precision.

    Args:
        pred: rows of 4 numbers.
        truths: one or two lists of such rows; the second is used where the protocol takes two.
    """
    pred = counted(pred, truths[0], name)
    truths = truths if name in TWO_TRUTHS else truths[:1]
    values = [[], [], []]
    for i, box in enumerate(pred):
        rows = [one_frame(box, list(map(float, truth[i])), FAMILY[name]) for truth in truths]
        for k, better in enumerate((max, min, min)):
            known = [row[k] for row in rows if not math.isnan(row[k])]
            values[k].append(better(known) if known else math.nan)
    n, strict = len(pred), name == 'gtot'
    return {'success': [sum(v > k / 20 for v in values[0]) / n for k in range(21)],
            'precision': [sum(v < k if strict else v <= k for v in values[1]) / n for k in range(51)],
            'norm_precision': [sum(v <= k / 100 for v in values[2]) / n for k in range(51)]}


def counted(pred, truth, name):
    """Predictions after rounding, the given first frame and the replacement of bad ones."""
    pred = [list(map(float, row)) for row in pred]
    if name in ROUNDED:
        pred = [[v if math.isnan(v) else float(round(v)) for v in row] for row in pred]
    if name not in FIRST_AS_PREDICTED:
        pred[0] = list(map(float, truth[0]))
    if FAMILY[name] == 'lsotb':
        for i in range(1, len(pred)):
            bad = pred[i][2] <= 0 or pred[i][3] <= 0 or all(math.isnan(v) for v in pred[i])
            if bad and not any(math.isnan(v) for v in truth[i]):
                pred[i] = pred[i - 1]
    return pred


def one_frame(p, t, family):
    """Overlap, centre error and normalised centre error of one frame."""
    checked = {'lsotb': t, 'pytracking': t[2:], 'plain': []}[family]
    if any(v <= 0 for v in checked) or (checked and any(math.isnan(v) for v in t)):
        return (-1.0, math.inf if family == 'pytracking' else -1.0, -1.0)
    if any(math.isnan(v) for v in p + t):
        return (math.nan,) * 3
    width = max(0.0, min(p[0] + p[2], t[0] + t[2]) - max(p[0], t[0]))
    height = max(0.0, min(p[1] + p[3], t[1] + t[3]) - max(p[1], t[1]))
    area, true_area = (b[2] * b[3] if b[2] > 0 and b[3] > 0 else 0.0 for b in (p, t))
    shared = width * height if area and true_area else 0.0
    union = area + true_area - shared
    dx = p[0] + p[2] / 2 - t[0] - t[2] / 2
    dy = p[1] + p[3] / 2 - t[1] - t[3] / 2
    normalised = math.sqrt((dx / t[2]) ** 2 + (dy / t[3]) ** 2) if t[2] > 0 and t[3] > 0 else math.nan
    return (shared / union if union else 0.0, math.sqrt(dx * dx + dy * dy), normalised)
