"""Actor of KYS training: a response predictor learns on short videos (KYS, Sec. 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ltr.actors.base_actor import BaseActor


class KYSActor(BaseActor):
    """Loss of the fused response, of the state's own idea of the target, and of lost tracks.

    All but the response predictor is a trained DiMP, and stays what it is: it is frozen, batch-norm statistics
    included.

    Args:
        net: `KYSnet`.
        objective: `response`: loss of (fused response, label), such as `LBHinge`; `target`: loss of (logits, 1 on the
            target and 0 elsewhere), such as `nn.BCEWithLogitsLoss`; `lost`: loss of (fused response, label), such as
            `LostTrackHinge`.
        loss_weight: of these; 1 each by default.
        target_label: a cell shows the target where its label is not below this.
        rivals: share of the frames in which another place looks like the target, too (see `add_rivals`).
    """

    def __init__(self, net: nn.Module, objective: Mapping[str, nn.Module],
                 loss_weight: Mapping[str, float] | None = None, target_label: float = 0.25,
                 rivals: float = 0.0) -> None:
        super().__init__(net, dict(objective))
        self.rivals = rivals
        self.loss_weight = dict.fromkeys(objective, 1.0) if loss_weight is None else loss_weight
        self.target_label = target_label
        net.requires_grad_(False)
        predictor: Any = net.response_predictor
        predictor.requires_grad_(True)
        self.train()

    def train(self, mode: bool = True) -> None:
        """Evaluation mode at any time: DiMP is frozen, and the response predictor has but one mode."""
        self.net.eval()

    def __call__(self, data: Mapping[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """Loss of one batch of videos.

        Args:
            data: `train_images` (n, q, 3, H, W); `test_images` (n_test, q, 3, H, W), consecutive; `train_anno`,
                `test_anno` (n, q, 4) `xywh`, crop px; `test_label` (n_test, q, H', W').

        Returns:
            The loss (gradient flows), its weighted parts, and the share of frames whose peak lies on the target.
        """
        response = self.net(train_imgs=data['train_images'], test_imgs=data['test_images'],
                            train_bb=data['train_anno'], test_bb=data['test_anno'],
                            disturb=lambda scores: add_rivals(scores, self.rivals))
        label = data['test_label'][1:]
        losses = {'response': self.objective['response'](response.fused, label),
                  'target': self.objective['target'](response.target, (label >= self.target_label).to(label)),
                  'lost': self.objective['lost'](response.fused, label)}
        parts = {name: self.loss_weight[name] * loss for name, loss in losses.items()}
        total = torch.stack(list(parts.values())).sum()
        at_peak = label.flatten(2).gather(2, response.fused.flatten(2).argmax(dim=2, keepdim=True))
        return total, {'Loss/total': total.item(), **{f'Loss/{name}': part.item() for name, part in parts.items()},
                       'Track/found': (at_peak >= self.target_label).float().mean().item()}


def add_rivals(scores: Tensor, share: float) -> Tensor:
    """Score maps of which some have a copy of themselves laid over them, shifted and up to 1.2 times as high.

    Videos in which a distractor fools the classifier are rare; where none does, nothing is learned of the scene.

    Args:
        scores: (q, H', W').
        share: probability of a map to be changed; drawn from torch's generator, as shift and height.
    """
    height, width = scores.shape[-2:]
    draws = torch.rand(len(scores), 4).tolist()
    changed = [torch.maximum(one, 1.2 * strength * one.roll((int(y * height), int(x * width)), (0, 1)))
               if chance < share else one for one, (chance, strength, y, x) in zip(scores, draws, strict=True)]
    return torch.stack(changed)
