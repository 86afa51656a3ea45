"""Actor of ATOM training (ATOM, Sec. 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ltr.actors.base_actor import BaseActor


class AtomActor(BaseActor):
    """Loss of the predicted IoU: `objective`, such as `nn.MSELoss()`, of the prediction and 2 IoU - 1."""

    def __call__(self, data: Mapping[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """Loss of one batch.

        Args:
            data: `train_images`, `test_images` (n, q, 3, H, W); `train_anno` (n, q, 4) `xywh`, crop px;
                `test_proposals` (n, q, P, 4); `proposal_iou` (n, q, P), 2 IoU - 1.

        Returns:
            The loss (gradient flows) and its parts for the log.
        """
        iou = self.net(train_imgs=data['train_images'], test_imgs=data['test_images'], train_bb=data['train_anno'],
                       test_proposals=data['test_proposals'])
        target = data['proposal_iou']
        loss = self.objective(iou.reshape(-1, iou.shape[-1]), target.reshape(-1, target.shape[-1]))
        return loss, {'Loss/total': loss.item(), 'Loss/iou': loss.item()}
