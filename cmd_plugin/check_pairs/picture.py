"""The worst pairs, to look at: a row each, the halves as they are and on one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cmd_plugin.check_pairs.findings import KINDS, Finding
from cmd_plugin.check_pairs.registration import edges
from cmd_plugin.check_pairs.survey import Survey
from cmd_plugin.data.paired import PairedDataset
from cmd_plugin.data.reading import read_rgb

ROWS = 10
WIDTH, HEIGHT, GAP, LINE = 320, 240, 4, 18
SQUARES = 8
"""Squares of the checkerboard along its width."""
Image = NDArray[Any]


def worst(findings: Sequence[Finding], found: Survey) -> list[Finding]:
    """Ten findings to show: the worst of each kind first, then the next of each; the largest shifts where there are
    fewer."""
    drawn = [finding for finding in findings if finding.kind != 'unusable' and finding.index not in found.faults]
    drawn.sort(key=lambda finding: -finding.size)
    seen: Counter[str] = Counter()
    ranked = []
    for finding in drawn:
        ranked.append((seen[finding.kind], KINDS.index(finding.kind), finding.index, finding))
        seen[finding.kind] += 1
    chosen = [finding for *_, finding in sorted(ranked, key=lambda item: item[:3])][:ROWS]
    shown = {finding.index for finding in chosen}
    lengths = np.nan_to_num(np.hypot(found.shifts[:, 0], found.shifts[:, 1]), nan=-1.0)
    for index in np.argsort(-lengths, kind='stable')[:2 * ROWS].tolist():
        if len(chosen) < ROWS and index not in shown and lengths[index] >= 0:
            dx, dy, _ = found.shifts[index]
            chosen.append(Finding(index, 'nothing wrong', f'among the largest shifts left: ({dx:+.1f}, {dy:+.1f}) px'))
    return chosen


def draw(dataset: PairedDataset, chosen: Sequence[Finding]) -> Image:
    """A row a finding: RGB, TIR, both as a checkerboard, edges of RGB in red and of TIR in blue-green.

    Duplicates and leaks show in place of the last two what the pair is like. Returns uint8 `(H, W, 3)`, RGB.
    """
    return np.concatenate([_row(dataset, finding) for finding in chosen])


def _row(dataset: PairedDataset, finding: Finding) -> Image:
    pair = dataset.read(finding.index)
    rgb, tir = np.ascontiguousarray(pair[..., :3]), np.ascontiguousarray(pair[..., 3])
    panels = [rgb, pair[..., 3:]]
    if isinstance(finding.other, int):
        other = dataset.read(finding.other)
        panels += [other[..., :3], other[..., 3:]]
    elif finding.other is not None:
        panels.append(read_rgb(finding.other))
    else:
        panels += [checkerboard(rgb, tir), overlay(rgb, tir)]
    blank = np.zeros((1, 1, 3), np.uint8)
    cells = np.concatenate([_cell(panel) for panel in [*panels, blank][:4]], axis=1)
    line = np.full((LINE, cells.shape[1], 3), 255, np.uint8)
    name = '/'.join(dataset.paths(finding.index)[0].parts[-3:])
    caption = f'{finding.kind}: {name}: {finding.text}'.encode('ascii', 'replace').decode()
    cv2.putText(line, caption[:190], (4, LINE - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([line, cells])


def checkerboard(rgb: Image, tir: Image) -> Image:
    """Squares of the one and of the other, uint8 `(H, W, 3)`: lines break at their borders where they do not fit."""
    side = max(1, rgb.shape[1] // SQUARES)
    rows, columns = np.indices(tir.shape) // side
    return np.where(((rows + columns) % 2 == 0)[..., None], rgb, tir[..., None])


def overlay(rgb: Image, tir: Image) -> Image:
    """Edges on one another: white where they meet."""
    red, rest = (_strong(edges(image)) for image in (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), tir))
    return np.stack([red, rest, rest], axis=2)


def _strong(magnitude: NDArray[np.float32]) -> Image:
    top = max(float(np.percentile(magnitude, 98)), 1e-6)
    return (magnitude * (255 / top)).clip(0, 255).astype(np.uint8)


def _cell(image: Image) -> Image:
    """The image within a cell of the sheet."""
    scale = min((WIDTH - GAP) / image.shape[1], (HEIGHT - GAP) / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    cell = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    cell[:size[1], :size[0]] = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return cell
