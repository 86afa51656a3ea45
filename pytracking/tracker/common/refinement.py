"""Box refinement by gradient ascent on the predicted IoU (ATOM, Sec. 3.4)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ltr.data.bounding_box_utils import relative_to_xywh, xywh_to_relative
from pytracking.utils.params import TrackerParams

Predict = Callable[[Tensor], Tensor]
ValueAndGradient = Callable[[Tensor], tuple[Tensor, Tensor]]


def start_boxes(box: np.ndarray, params: TrackerParams, uniform: Callable[[int], np.ndarray]) -> np.ndarray:
    """The box itself and random ones around it, (P, 4) `xywh`, crop px; `uniform(n)` draws (n, 4) in [0, 1)."""
    number = params.get('num_init_random_boxes', 0)
    if number == 0:
        return box[None]
    drawn = uniform(number) - 0.5
    side = np.sqrt(box[2] * box[3])
    size = np.maximum(box[2:] + side * params.box_jitter_sz * drawn[:, 2:], box[2:].min() / 3)
    centre = box[:2] + box[2:] / 2 + side * params.box_jitter_pos * drawn[:, :2]
    return np.concatenate((box[None], np.concatenate((centre - size / 2, size), axis=1)))


def ascend(predict: Predict, boxes: Tensor, params: TrackerParams,
           own_steps: bool = False) -> tuple[Tensor, Tensor]:
    """`climb` with the gradient that autograd finds.

    Args:
        predict: (..., P, 4) `xywh` boxes, crop px, to (..., P) predicted IoU; gradient flows to the boxes.
        boxes, params, own_steps: see `climb`.
    """
    def value_and_gradient(boxes: Tensor) -> tuple[Tensor, Tensor]:
        boxes = boxes.detach().requires_grad_(True)
        with torch.enable_grad():
            iou = predict(boxes)
            gradient, = torch.autograd.grad(iou.sum(), boxes)
        return iou.detach(), gradient
    return climb(value_and_gradient, boxes, params, own_steps)


def climb(value_and_gradient: ValueAndGradient, boxes: Tensor, params: TrackerParams,
          own_steps: bool = False) -> tuple[Tensor, Tensor]:
    """Move boxes towards greater predicted IoU.

    Args:
        value_and_gradient: (..., P, 4) `xywh` boxes, crop px, to their predicted IoU (..., P) and its gradient.
        boxes: (..., P, 4), the first of each P unchanged by random draws.
        params: `box_refinement_iter`, `box_refinement_step_length` (one number, or one for position and one for
            size), `box_refinement_step_decay`, `box_refinement_space` (`'default'` or `'relative'`).
        own_steps: with a decay below 1, each box has a step of its own, which decays only when its last move did not
            raise the IoU; that move is then taken back (ATOM).

    Returns:
        The boxes, and the IoU predicted at the start of the last step (the one that stock ranks by).
    """
    step = _steps(params.get('box_refinement_step_length', 1), boxes)
    decay = params.get('box_refinement_step_decay', 1)
    relative = params.get('box_refinement_space', 'default') == 'relative'
    reference = boxes[..., :1, 2:].clone()
    point = xywh_to_relative(boxes, reference) if relative else boxes
    iou = boxes.new_zeros(boxes.shape[:-1])
    before, last_move = iou - torch.inf, torch.zeros_like(boxes)
    for _ in range(params.box_refinement_iter):
        xywh = relative_to_xywh(point, reference) if relative else point
        iou, gradient = value_and_gradient(xywh)
        move = step * (_relative_gradient(gradient, xywh, reference) if relative
                       else gradient * torch.cat((xywh[..., 2:], xywh[..., 2:]), dim=-1))
        if own_steps and decay < 1:
            failed = ~(iou > before)[..., None]
            step = torch.where(failed, step * decay, step)
            move, last_move = torch.where(failed, -last_move, move), move.masked_fill(failed, 0)
            before = iou
        elif decay != 1:
            step = step * decay
        point = point + move
    return relative_to_xywh(point, reference) if relative else point, iou


def _relative_gradient(gradient: Tensor, xywh: Tensor, reference: Tensor) -> Tensor:
    """Gradient in relative coordinates (see `xywh_to_relative`) of one in `xywh`, both (..., P, 4)."""
    by_corner, by_size = gradient[..., :2], gradient[..., 2:]
    return torch.cat((by_corner * reference, (by_size - by_corner / 2) * xywh[..., 2:]), dim=-1)


def _steps(length: float | tuple[float, float], like: Tensor) -> Tensor:
    pair = length if isinstance(length, (tuple, list)) else (length, length)
    # Filled where it is needed: numbers that come from the host would let it wait for the device.
    return torch.cat([like.new_full((2,), float(value)) for value in pair])


def best_box(boxes: np.ndarray, iou: np.ndarray, params: TrackerParams) -> np.ndarray | None:
    """Mean of the boxes of greatest IoU among finite ones of a sensible aspect; `None` where none is left."""
    size = np.maximum(boxes[:, 2:], 1)
    aspect = size[:, 0] / size[:, 1]
    limit = params.get('maximal_aspect_ratio', 6)
    kept = np.flatnonzero((aspect < limit) & (aspect > 1 / limit) & np.isfinite(boxes).all(axis=1))
    if len(kept) == 0:
        return None
    order = kept[np.argsort(-iou[kept], kind='stable')][:params.get('iounet_k', 5)]
    return np.concatenate((boxes[order, :2], size[order]), axis=1).mean(axis=0)
