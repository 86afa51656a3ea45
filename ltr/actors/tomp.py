"""Actor of ToMP training (ToMP, Sec. 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ltr.actors.base_actor import BaseActor
from ltr.actors.tracking import classification_losses, training_stats, weighted_classification


class ToMPActor(BaseActor):
    """Hinge loss of the score maps and loss of the boxes that the cells at the target predict.

    Args:
        net: `ToMPnet`.
        objective: `{'test_clf': loss of (scores, label, boxes), 'giou': loss of (predicted boxes, boxes, label)}`, such
            as `LBHinge` and `GIoULoss`.
        loss_weight: `test_clf` and `giou`, by default 100 and 1 (ToMP, Sec. 3.4).
    """

    def __init__(self, net: nn.Module, objective: Mapping[str, nn.Module],
                 loss_weight: Mapping[str, float] | None = None) -> None:
        super().__init__(net, objective)
        self.loss_weight = {'test_clf': 100.0, 'giou': 1.0} if loss_weight is None else loss_weight

    def __call__(self, data: Mapping[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """Loss of one batch.

        Args:
            data: `train_images` (n, q, 3, H, W), `test_images` (n_test, q, 3, H, W); `train_anno` (n, q, 4),
                `test_anno` (n_test, q, 4) `xywh`, crop px; `test_label` (n_test, q, H', W').

        Returns:
            The loss (gradient flows) and its parts for the log.
        """
        scores, boxes = self.net(train_imgs=data['train_images'], test_imgs=data['test_images'],
                                 train_bb=data['train_anno'])
        losses = classification_losses(self.objective['test_clf'], [scores], data['test_label'], data['test_anno'])
        parts = weighted_classification(losses, self.loss_weight)
        giou = self.objective['giou'](boxes, data['test_anno'], data['test_label'])
        parts['giou'] = self.loss_weight['giou'] * giou
        total = torch.stack(list(parts.values())).sum()
        return total, training_stats(total, parts, losses)
