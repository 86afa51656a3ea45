"""Distillation losses: the tracker's own losses on a pseudo box (paper, Eq. 1-3).

Legend: B rows, H' x W' score cells, P proposals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_convert, generalized_box_iou_loss

HINGE = 0.05
FINAL, INITIAL, BETWEEN = 100.0, 100.0, 400.0


def hinge_residual(scores: Tensor, label: Tensor) -> Tensor:
    """DiMP's own term: where the label is background (below 0.05), only positive scores count; mean of the squares.

    Args:
        scores: (B, H', W').
        label: same shape, Gaussian with peak 1.
    """
    background = label < HINGE
    residual = torch.where(background, functional.relu(scores), scores - label)
    return residual.square().mean()


def squared_residual(scores: Tensor, label: Tensor) -> Tensor:
    """The term as Eq. 2 has it, `|| scores - g ||^2`, as a mean over cells and rows; arguments as `hinge_residual`."""
    return (scores - label).square().mean()


def grid_divergence(scores: Tensor, label: Tensor) -> Tensor:
    """PrDiMP's own term: KL divergence of the scores' softmax from a density, but for the density's own entropy.

    `logsumexp(s) - sum(s y)`, mean over rows (PrDiMP, Sec. 5).

    Args:
        scores: (B, H', W').
        label: y, same shape, every map sums to 1.
    """
    return (torch.logsumexp(scores.flatten(1), dim=1) - (scores * label).flatten(1).sum(dim=1)).mean()


RESIDUALS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'hinge': hinge_residual, 'squared': squared_residual, 'kl': grid_divergence}


def response_loss(prediction: Tensor | Sequence[Tensor], answer: Tensor | Sequence[Tensor]) -> Tensor:
    """Mean squared difference from what the teacher says of the RGB twin; of several maps, the mean over them.

    Args:
        prediction: IoU of proposals (B, P), or score maps (B, H', W') of every filter iterate; gradient flows.
        answer: the same of the teacher; no gradient flows.
    """
    ours, theirs = ([one] if isinstance(one, Tensor) else one for one in (prediction, answer))
    return torch.stack([(a - b.detach()).square().mean() for a, b in zip(ours, theirs, strict=True)]).mean()


def squared_norm(codes: Sequence[Tensor]) -> Tensor:
    """`|| code ||^2`: sum of the squares of all parts (B, ...) of a code, mean over the rows; gradient flows."""
    return torch.stack([code.square().sum() / len(code) for code in codes]).sum()


def over_iterates(losses: Sequence[Tensor]) -> Tensor:
    """DiMP's weighting of the filter iterates: the final one 100, the initial one 100, mean of those between 400.

    Args:
        losses: one value an iterate, the initial filter's first.
    """
    total = FINAL * losses[-1]
    if len(losses) > 1:
        total = total + INITIAL * losses[0]
    if len(losses) > 2:
        total = total + BETWEEN * torch.stack(list(losses[1:-1])).mean()
    return total


def classification_loss(scores: Sequence[Tensor], filters: Sequence[Tensor], label: Tensor, residual: str = 'hinge',
                        mu: float = 0.0, scale: float = 1.0) -> tuple[Tensor, dict[str, float]]:
    """L_TCL (paper, Eq. 2) of every filter iterate, in DiMP's weighting.

    Args:
        scores: maps (B, H', W') of every filter iterate, the initialiser's first.
        filters: the iterates phi, (B, C, k, k) each.
        label: (B, H', W'); a density for `kl`, else Gaussian with peak 1.
        residual: a key of `RESIDUALS`.
        mu: weight of || phi ||^2 beside the residual of the same iterate.
        scale: of the whole.

    Returns:
        The loss (gradient flows) and its parts.
    """
    losses = [RESIDUALS[residual](score, label) for score in scores]
    total = over_iterates(losses)
    if mu:
        total = total + mu * over_iterates([squared_norm([phi]) for phi in filters])
    total = scale * total
    return total, {'tcl': total.item(), 'tcl_final': losses[-1].item(), 'tcl_initial': losses[0].item()}


def iou_loss(predicted: Tensor, target: Tensor, modulation: Sequence[Tensor] = (),
             nu: float = 0.0) -> tuple[Tensor, dict[str, float]]:
    """L_BBE (paper, Eq. 3): mean squared error of (B, P) predictions against 2 IoU - 1, and nu || theta ||^2.

    Args:
        predicted, target: (B, P).
        modulation: the modulation vectors theta, (B, C, 1, 1) each.
        nu: weight of || theta ||^2.

    Returns:
        The loss (gradient flows) and its parts.
    """
    loss = functional.mse_loss(predicted, target)
    if nu:
        loss = loss + nu * squared_norm(modulation)
    return loss, {'bbe': loss.item()}


def box_divergence(scores: Tensor, drawn: Tensor, label: Tensor) -> Tensor:
    """KL divergence of the predicted density of boxes from the label's, by importance sampling (PrDiMP, Sec. 4).

    `logsumexp_j(s_j - log Q_j) - log P - mean_j(s_j y_j / Q_j)`, mean over rows; the label's entropy is left out.

    Args:
        scores: (B, P), unnormalised log density of the proposals.
        drawn: Q, (B, P), > 0, density that the proposals were drawn from.
        label: y, (B, P), density of the pseudo box's label at them.
    """
    partition = torch.logsumexp(scores - drawn.log(), dim=1) - math.log(scores.shape[1])
    return (partition - (scores * label / drawn).mean(dim=1)).mean()


def box_density_loss(scores: Tensor, drawn: Tensor, label: Tensor, modulation: Sequence[Tensor] = (), nu: float = 0.0,
                     scale: float = 1.0) -> tuple[Tensor, dict[str, float]]:
    """L_BBE (paper, Eq. 3) of trackers that regress a density: `scale * box_divergence + nu || theta ||^2`.

    Args:
        scores, drawn, label: as in `box_divergence`.
        modulation: the modulation vectors theta, (B, C, 1, 1) each.
        nu: weight of || theta ||^2.
        scale: of the divergence.

    Returns:
        The loss (gradient flows) and its parts.
    """
    divergence = box_divergence(scores, drawn, label)
    loss = scale * divergence
    if nu:
        loss = loss + nu * squared_norm(modulation)
    return loss, {'bbe': loss.item(), 'bbe_divergence': divergence.item()}


def overlap_loss(boxes: Tensor, target: Tensor, label: Tensor, regressor: Sequence[Tensor] = (),
                 nu: float = 0.0) -> tuple[Tensor, dict[str, float]]:
    """L_BBE of trackers whose cells tell boxes: 1 - GIoU, mean over the cells at the target, and nu || theta ||^2.

    Args:
        boxes: (B, H', W', 4) `xywh`, crop px.
        target: (B, 4) `xywh`, crop px.
        label: (B, H', W'), Gaussian with peak 1; cells from 0.05 on count.
        regressor: the filters theta that the boxes come from, (B, C) each.
        nu: weight of || theta ||^2.

    Returns:
        The loss (gradient flows; without any cell that counts, 0 and zero gradients) and its parts.
    """
    counted = label >= HINGE
    wanted = target[:, None, None].expand_as(boxes)
    each = generalized_box_iou_loss(*(box_convert(found[counted], 'xywh', 'xyxy') for found in (boxes, wanted)))
    loss = each.sum() / max(len(each), 1)
    if nu:
        loss = loss + nu * squared_norm(regressor)
    return loss, {'bbe': loss.item()}
