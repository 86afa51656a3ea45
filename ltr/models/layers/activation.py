"""Activations of the score map whose negative slope is learned (DiMP, Eq. 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ScoreActivation(nn.Module):
    """Identity on the target (mask 1), ReLU-like on the background (mask 0), in between elsewhere.

    Args:
        kind: `'relu'`: (1-m)/2 |s| + (1+m)/2 s; `'bentpar'`: the smooth variant with `parameter` b in place of the
            kink, (1-m)/2 (sqrt(s^2 + 4 b^2) - 2 b) + (1+m)/2 s.
        parameter: b.
    """

    def __init__(self, kind: str = 'relu', parameter: float | None = None) -> None:
        super().__init__()
        if kind not in ('relu', 'bentpar'):
            raise ValueError(f"score_act must be 'relu' or 'bentpar', not {kind!r}")
        self.bend = None if kind == 'relu' else (1.0 if parameter is None else parameter)

    def forward(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Activated scores, shape of `scores`; gradient flows to both."""
        if self.bend is None:
            folded = scores.abs()
        else:
            folded = torch.sqrt(scores * scores + 4.0 * self.bend ** 2) - 2.0 * self.bend
        return (1.0 - mask) / 2.0 * folded + (1.0 + mask) / 2.0 * scores

    def derivative(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Derivative in `scores`; of the sign (0 at 0) no gradient flows."""
        if self.bend is None:
            slope = torch.sign(scores.detach())
        else:
            slope = scores / torch.sqrt(scores * scores + 4.0 * self.bend ** 2)
        return (1.0 - mask) / 2.0 * slope + (1.0 + mask) / 2.0
