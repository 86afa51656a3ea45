"""Distillation losses: the tracker's own losses on a pseudo box (paper, Eq. 1-3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

HINGE = 0.05
FINAL, INITIAL, BETWEEN = 100.0, 100.0, 400.0


def hinge_residual(scores: Tensor, label: Tensor) -> Tensor:
    """Mean squared residual; where the label is background (below 0.05), only positive scores count.

    Args:
        scores: (B, H', W').
        label: same shape, Gaussian with peak 1.
    """
    background = label < HINGE
    residual = torch.where(background, functional.relu(scores), scores - label)
    return residual.square().mean()


def classification_loss(scores: Sequence[Tensor], label: Tensor) -> tuple[Tensor, dict[str, float]]:
    """L_TCL (paper, Eq. 2) in DiMP's weighting: final filter 100, initial one 100, mean of those between 400.

    Args:
        scores: maps (B, H', W') of every filter iterate, the initialiser's first.
        label: (B, H', W').

    Returns:
        The loss (gradient flows) and its parts.
    """
    losses = [hinge_residual(score, label) for score in scores]
    total = FINAL * losses[-1]
    if len(losses) > 1:
        total = total + INITIAL * losses[0]
    if len(losses) > 2:
        total = total + BETWEEN * torch.stack(losses[1:-1]).mean()
    return total, {'tcl': total.item(), 'tcl_final': losses[-1].item(), 'tcl_initial': losses[0].item()}


def iou_loss(predicted: Tensor, target: Tensor) -> tuple[Tensor, dict[str, float]]:
    """L_BBE (paper, Eq. 3): mean squared error of (B, P) predictions against 2 IoU - 1."""
    loss = functional.mse_loss(predicted, target)
    return loss, {'bbe': loss.item()}
