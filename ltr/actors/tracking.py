"""Actor of DiMP training (DiMP, Sec. 3.6 and 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltr.actors.base_actor import BaseActor


class DiMPActor(BaseActor):
    """DiMP's total loss: hinge on the scores of every filter iterate, squared error on the predicted IoU.

    Args:
        net: `DiMPnet`.
        objective: `{'iou': loss, 'test_clf': loss}`.
        loss_weight: `iou` and `test_clf` (final filter), 1 each by default; optional `test_init_clf` (initial filter)
            and `test_iter_clf` (mean of the iterates between, or a list of weights of a sum over them).
    """

    def __init__(self, net: nn.Module, objective: Mapping[str, nn.Module],
                 loss_weight: Mapping[str, Any] | None = None) -> None:
        super().__init__(net, objective)
        self.loss_weight = {'iou': 1.0, 'test_clf': 1.0} if loss_weight is None else loss_weight

    def __call__(self, data: Mapping[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """Loss of one batch.

        Args:
            data: `train_images`, `test_images` (n, q, 3, H, W); `train_anno`, `test_anno` (n, q, 4) `xywh`, crop px;
                `test_proposals` (n, q, P, 4); `proposal_iou` (n, q, P), 2 IoU - 1; `test_label` (n, q, H', W').

        Returns:
            The loss (gradient flows) and its parts for the log.
        """
        scores, iou = self.net(train_imgs=data['train_images'], test_imgs=data['test_images'],
                               train_bb=data['train_anno'], test_proposals=data['test_proposals'])
        losses = classification_losses(self.objective['test_clf'], scores, data['test_label'], data['test_anno'])
        parts = weighted_classification(losses, self.loss_weight)
        iou = iou.reshape(-1, iou.shape[-1])
        iou_loss = self.objective['iou'](iou, data['proposal_iou'].reshape(-1, data['proposal_iou'].shape[-1]))
        parts['iou'] = self.loss_weight['iou'] * iou_loss
        total = torch.stack(list(parts.values())).sum()
        return total, training_stats(total, parts, losses)


def classification_losses(objective: nn.Module, scores: Sequence[Tensor], label: Tensor,
                          boxes: Tensor) -> list[Tensor]:
    """Loss of the score maps (n, q, H', W') of every filter iterate; gradient flows."""
    return [objective(score, label, boxes) for score in scores]


def weighted_classification(losses: Sequence[Tensor], weight: Mapping[str, Any]) -> dict[str, Tensor]:
    """Weighted terms: `target_clf` (last iterate), `test_init_clf` (first), `test_iter_clf` (those between)."""
    parts = {'target_clf': weight['test_clf'] * losses[-1]}
    if 'test_init_clf' in weight:
        parts['test_init_clf'] = weight['test_init_clf'] * losses[0]
    between = losses[1:-1]
    if 'test_iter_clf' in weight and between:
        factor = weight['test_iter_clf']
        if isinstance(factor, (list, tuple)):
            parts['test_iter_clf'] = torch.stack([f * x for f, x in zip(factor, between, strict=True)]).sum()
        else:
            parts['test_iter_clf'] = factor * torch.stack(list(between)).mean()
    return parts


def training_stats(total: Tensor, parts: Mapping[str, Tensor], losses: Sequence[Tensor]) -> dict[str, float]:
    """What the log shows: the total, its weighted parts, and the unweighted losses of the filter iterates."""
    stats = {'Loss/total': total.item()}
    stats.update({f'Loss/{name}': value.item() for name, value in parts.items()})
    stats['ClfTrain/test_loss'] = losses[-1].item()
    if len(losses) > 1:
        stats['ClfTrain/test_init_loss'] = losses[0].item()
    if len(losses) > 2:
        stats['ClfTrain/test_iter_loss'] = torch.stack(list(losses[1:-1])).mean().item()
    return stats
