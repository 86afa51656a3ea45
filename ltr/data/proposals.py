"""Random box proposals around a target, with the overlaps that an IoU network has to predict."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

MAX_TRIES = 100
DEFAULT_SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.3)

Box = tuple[float, float, float, float]


def perturb_box(box: Tensor, min_iou: float = 0.1,
                sigma_factor: float | Sequence[float] = DEFAULT_SIGMAS) -> tuple[Tensor, float]:
    """Draw one box near another ("ATOM", Sec. 3.2; Gaussian perturbation).

    Centre and size get Gaussian noise of deviation sigma * sqrt(w h); the top-left form is rounded to whole
    pixels. Until the overlap exceeds `min_iou` the deviation shrinks by a tenth and the box is drawn again,
    at most 100 times; then the last one is returned.

    Args:
        box: `xywh` (4,), any frame.
        min_iou: overlap to be exceeded, [0, 1).
        sigma_factor: one deviation, or several of which one is drawn.

    Returns:
        The proposal `xywh` (4,) and its IoU with `box`. Draws from `random`.
    """
    sigma = sigma_factor if isinstance(sigma_factor, (int, float)) else random.choice(list(sigma_factor))
    target: Box = tuple(box.tolist())
    deviation = sigma * max(target[2] * target[3], 0.0) ** 0.5
    proposal, iou = target, 1.0
    for _ in range(MAX_TRIES):
        proposal = _noisy(target, deviation)
        iou = overlap(target, proposal)
        if iou > min_iou:
            break
        deviation *= 0.9
    return torch.tensor(proposal, dtype=box.dtype), iou


def draw_proposals(box: Tensor, boxes_per_frame: int, min_iou: float = 0.1,
                   sigma_factor: float | Sequence[float] = DEFAULT_SIGMAS) -> tuple[Tensor, Tensor]:
    """Proposals of one frame.

    Returns:
        Boxes `xywh` (boxes_per_frame, 4) and their targets 2 IoU - 1, (boxes_per_frame,) in [-1, 1].
    """
    drawn = [perturb_box(box, min_iou, sigma_factor) for _ in range(boxes_per_frame)]
    targets = torch.tensor([2 * iou - 1 for _, iou in drawn], dtype=box.dtype)
    return torch.stack([proposal for proposal, _ in drawn]), targets


def _noisy(target: Box, deviation: float) -> Box:
    x, y, w0, h0 = target
    cx, cy = random.gauss(x + w0 / 2, deviation), random.gauss(y + h0 / 2, deviation)
    w, h = random.gauss(w0, deviation), random.gauss(h0, deviation)
    w, h = _not_tiny(w, w0), _not_tiny(h, h0)
    rounded = [round(value) for value in (cx - w / 2, cy - h / 2, w, h)]
    return rounded[0], rounded[1], _not_tiny(rounded[2], w0), _not_tiny(rounded[3], h0)


def _not_tiny(size: float, original: float) -> float:
    """A size of at most one pixel is replaced by 15 to 50 % of the original."""
    return original * random.uniform(0.15, 0.5) if size <= 1 else size


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes `xywh` in plain numbers: in [0, 1], 0 where both are empty."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    intersection = max(width, 0.0) * max(height, 0.0)
    union = a[2] * a[3] + b[2] * b[3] - intersection
    return intersection / union if union > 0 else 0.0
