"""The data of the page: figures as the engine gives them, curves in 4 bytes, overlaps in 1, coordinates in 2."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

import pytracking.evaluation.data as data
from pytracking.analysis.frames import frame_overlaps
from pytracking.analysis.plot_results import AXES, TITLES, figure_notes, table_notes
from pytracking.analysis.ranking import worst_stretches
from pytracking.analysis.report.pictures import Pictures
from pytracking.analysis.summary import Analysis

STEPS = 250             # an overlap in [0, 1] is a byte in 0..250
INVALID, NO_BOX = 255, 254
MISSING = -32768        # a coordinate that is no number
BOX_BYTES = 8_000_000   # of all boxes together; what comes after is left out, and said
BOX_STEP = 0.1          # px


def make_payload(analysis: Analysis, pictures: Pictures) -> dict[str, Any]:
    """Everything that the page knows, ready for JSON; the keys are those that `script/model.js` reads."""
    result = analysis.results[0].result
    frames = sum(len(sequence.ground_truth_rect) for sequence in analysis.counted.values())
    boxed = max(0, min(len(analysis.results), BOX_BYTES // (8 * max(frames, 1)) - 1))
    attributes = list(analysis.members)
    weights = result.frames if analysis.protocol.averaging == 'frames' else result.frames > 0
    step = box_step(analysis)
    sequences = [{
        'name': name,
        'frames': len(analysis.counted[name].ground_truth_rect),
        'weight': int(weight),
        'attributes': [attributes.index(one) for one in sorted(analysis.counted[name].attributes)],
        **_frames(analysis, analysis.counted[name], boxed, step, pictures),
    } for name, weight in zip(result.sequences, weights, strict=True)]
    lacks = pictures.lacks(len(sequences))
    if boxed < len(analysis.results):
        lacks.append(f'boxes of the first {boxed} trackers alone are in the page, to keep it small')
    return {
        'title': f'{analysis.dataset}, protocol {analysis.protocol.name}',
        'notes': table_notes(analysis.results),
        'how': figure_notes(analysis.results),
        'lacks': lacks,
        'dropZero': analysis.protocol.drop_zero_curves,
        'measures': [_measure(analysis, name) for name in analysis.measures],
        'trackers': [{'label': item.label, 'speed': _round(item.frames_per_second),
                      'figures': [_round(item.result.figure(name)) for name in analysis.measures]}
                     for item in analysis.results],
        'published': [{'tracker': row.tracker, 'origin': row.origin, 'attribute': row.attribute,
                       'figures': [_round(row.figure(name)) for name in analysis.measures]}
                      for row in analysis.published],
        'differences': [{'first': first, 'second': second, 'measure': analysis.measures.index(part.measure),
                         **{key: _round(getattr(part, key)) for key in ('difference', 'low', 'high', 'share_above')},
                         'sequences': part.sequences, 'draws': part.draws, 'level': part.level}
                        for first, second, parts in analysis.differences for part in parts],
        'attributes': attributes,
        'boxed': boxed,
        'step': step,
        'sequences': sequences,
    }


def _measure(analysis: Analysis, name: Any) -> dict[str, Any]:
    """A measure. Its figure is linear in the curve, so the page needs a weight a threshold, and no protocol."""
    measure = analysis.protocol.measures[name]
    curves = np.stack([item.result.curves[name] for item in analysis.results])
    weights = np.asarray(measure.figure(np.eye(len(measure.thresholds))), dtype=float)
    return {'key': name, 'title': TITLES[name], 'how': measure.figure_name(), 'axis': AXES[name],
            'thresholds': [_round(value) for value in measure.thresholds], 'rankAt': measure.rank_at,
            'weights': [round(float(value), 12) for value in weights], 'curves': encode(curves, '<f4')}


def _frames(analysis: Analysis, sequence: data.Sequence, boxed: int, step: float, pictures: Pictures) -> dict[str, Any]:
    """Overlaps and boxes of one sequence, frame by frame, and its pictures."""
    overlaps = [frame_overlaps(item.boxes[sequence.name], sequence, analysis.protocol) for item in analysis.results]
    boxes = [sequence.ground_truth_rect, *(item.boxes[sequence.name] for item in analysis.results[:boxed])]
    worst = [worst_stretches(one) for one in overlaps] if pictures.embed else []
    wanted = [stretches[rank].first - 1 for rank in range(3) for stretches in worst if rank < len(stretches)]
    return {'overlaps': encode(np.stack([quantise(one) for one in overlaps]), 'u1'),
            'boxes': encode(np.stack([coordinates(rows, step) for rows in boxes]), '<i2'),
            'pictures': pictures.of(sequence.frames, wanted)}


def quantise(overlaps: np.ndarray) -> np.ndarray:
    """(n,) overlaps as bytes: 0..250, 255 where the ground truth is invalid (-1), 254 where the prediction is (NaN)."""
    steps = np.nan_to_num(overlaps * STEPS, nan=0.0).clip(0, STEPS).round()
    return np.where(overlaps < 0, INVALID, np.where(np.isnan(overlaps), NO_BOX, steps)).astype(np.uint8)


def coordinates(boxes: np.ndarray, step: float) -> np.ndarray:
    """(n, 4) px as int16 in units of `step`; a box that holds a NaN is `MISSING`, one far outside is drawn nearer."""
    steps = np.nan_to_num(boxes / step, nan=0.0, posinf=0.0, neginf=0.0).round().clip(MISSING + 1, -MISSING - 1)
    return np.where(np.isfinite(boxes).all(axis=1, keepdims=True), steps, MISSING).astype(np.int16)


def box_step(analysis: Analysis) -> float:
    """Unit of coordinates, px: fine, and coarse enough that the largest picture fits into 16 bits."""
    ends = [np.nan_to_num(sequence.ground_truth_rect[:, :2] + sequence.ground_truth_rect[:, 2:]).max()
            for sequence in analysis.counted.values()]
    return max(BOX_STEP, float(max(ends, default=0.0)) * 1.5 / -MISSING)


def encode(values: np.ndarray, form: str) -> str:
    """Raw bytes in base64; little-endian, as all browsers' machines are."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=form).tobytes()).decode()


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)
