"""Actor of PrDiMP and SuperDiMP training: box and target centre as densities (PrDiMP, Sec. 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ltr.actors.base_actor import BaseActor
from ltr.actors.tracking import classification_losses, training_stats, weighted_classification
from ltr.admin import distributed

NOWHERE = 99999.0
"""Boxes with a greater x are those of frames that do not show the target."""


class KLDiMPActor(BaseActor):
    """KL divergence of the box scores, and a loss on the scores of every filter iterate.

    Args:
        net: `DiMPnet`.
        objective: `box`: loss of (scores, `proposal_density`, `gt_density`), such as `KLRegression`; and one of
            `test_density`: loss of (scores, `test_label_density`), such as `KLRegressionGrid`, or
            `test_clf`: loss of (scores, `test_label`, boxes), such as `LBHinge`.
        loss_weight: `box` and `test_clf` (final filter), 1 each by default; optional `test_init_clf` (initial filter)
            and `test_iter_clf` (mean of the iterates between, or a list of weights of a sum over them).
    """

    def __init__(self, net: nn.Module, objective: Mapping[str, nn.Module],
                 loss_weight: Mapping[str, Any] | None = None) -> None:
        super().__init__(net, objective)
        if ('test_density' in objective) == ('test_clf' in objective):
            raise ValueError("objective needs 'test_density' or 'test_clf', and not both")
        self.loss_weight = {'box': 1.0, 'test_clf': 1.0} if loss_weight is None else loss_weight

    def __call__(self, data: Mapping[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """Loss of one batch.

        Args:
            data: `train_images`, `test_images` (n, q, 3, H, W); `train_anno`, `test_anno` (n, q, 4) `xywh`, crop px;
                `test_proposals` (n, q, P, 4), `proposal_density`, `gt_density` (n, q, P); `test_label` or
                `test_label_density` (n, q, H', W').

        Returns:
            The loss (gradient flows) and its parts for the log.
        """
        scores, box_scores = self.net(train_imgs=data['train_images'], test_imgs=data['test_images'],
                                      train_bb=data['train_anno'], test_proposals=data['test_proposals'])
        if 'test_density' in self.objective:
            losses = [self.objective['test_density'](score, data['test_label_density']) for score in scores]
        else:
            losses = classification_losses(self.objective['test_clf'], scores, data['test_label'], data['test_anno'])
        parts = weighted_classification(losses, self.loss_weight)
        parts['box'] = self.loss_weight['box'] * self._box_loss(box_scores, data)
        total = torch.stack(list(parts.values())).sum()
        return total, training_stats(total, parts, losses)

    def _box_loss(self, scores: Tensor, data: Mapping[str, Any]) -> Tensor:
        """Of the frames that show the target; 0, with zero gradients, where none does."""
        shown = data['test_anno'][..., 0] < NOWHERE
        weight = distributed.weight_of(int(shown.sum()))
        if not shown.any():
            return 0.0 * scores.sum()
        loss = self.objective['box'](scores[shown], data['proposal_density'][shown], data['gt_density'][shown])
        return weight * loss
