"""Losses on score maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class LBHinge(nn.Module):
    """Hinge-like regression loss (DiMP, Eq. 4): scores of background cells may be as negative as they like.

    Args:
        error_metric: regression loss on (prediction, label); mean squared error by default.
        threshold: a cell is background where its label is below it; `None` means no cell is.
        clip: upper bound of the loss, if any.
    """

    def __init__(self, error_metric: nn.Module | None = None, threshold: float | None = None,
                 clip: float | None = None) -> None:
        super().__init__()
        self.error_metric = nn.MSELoss() if error_metric is None else error_metric
        self.threshold = -100.0 if threshold is None else threshold
        self.clip = clip

    def forward(self, prediction: Tensor, label: Tensor, target_bb: Tensor | None = None) -> Tensor:
        """Loss of score maps against Gaussian labels of one shape; `target_bb` is not used."""
        background = label < self.threshold
        prediction = torch.where(background, functional.relu(prediction), prediction)
        loss = self.error_metric(prediction, torch.where(background, torch.zeros_like(label), label))
        return loss if self.clip is None else loss.clamp(max=self.clip)
