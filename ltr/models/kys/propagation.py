"""Where every part of a scene went: states follow a cost volume from one frame to the next.

Reference: Bhat et al., "Know Your Surroundings", ECCV 2020, Sec. 3.

Legend: B sequences, C channels, S state channels, H x W cells, d greatest displacement, D = 2 d + 1 (see
`ltr.models.layers.correlation`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ltr.models.layers.correlation import cost_volume, gather, inside, transpose_volume

NEVER = -1e9
"""Matching score of a cell outside the map."""


class MatchRefinement(nn.Module):
    """Matching scores of a volume, slice by slice: two convolutions over the displacements of a cell.

    Their result is added to the costs themselves, times a learned factor: an untrained network matches by cost alone
    (the paper has the convolutions without that start).

    Args:
        hidden: channels between the two.
        sharpness: the factor at first.
    """

    def __init__(self, hidden: int, sharpness: float) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(float(sharpness)))
        self.conv1 = nn.Conv2d(1, hidden, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(hidden, 1, kernel_size=3, padding=1)
        nn.init.kaiming_normal_(self.conv1.weight)
        for tensor in (self.conv1.bias, self.conv2.weight, self.conv2.bias):
            assert tensor is not None
            nn.init.zeros_(tensor)

    def forward(self, volume: Tensor) -> Tensor:
        """(B, D, D, H, W) to the same shape; gradient flows."""
        batch, side, _, height, width = volume.shape
        slices = volume.permute(0, 3, 4, 1, 2).reshape(batch * height * width, 1, side, side)
        correction = self.conv2(functional.relu(self.conv1(slices)))
        correction = correction.reshape(batch, height, width, side, side).permute(0, 3, 4, 1, 2)
        return self.sharpness * volume + correction


class StatePropagation(nn.Module):
    """Expected state of every cell, over the places that it may have come from.

    The costs of each previous cell are refined and made a distribution over the current frame; as seen from each
    current cell, these are refined again and made a distribution over the previous frame.

    Args:
        max_displacement: d, cells between two frames.
        hidden: channels of the refinements.
        sharpness: of matching scores before training.
    """

    def __init__(self, max_displacement: int = 9, hidden: int = 8, sharpness: float = 20.0) -> None:
        super().__init__()
        if max_displacement < 1:
            raise ValueError(f'max_displacement must be 1 or more, not {max_displacement}')
        self.max_displacement = max_displacement
        self.forward_matches = MatchRefinement(hidden, sharpness)
        self.backward_matches = MatchRefinement(hidden, sharpness)

    def forward(self, previous: Tensor, current: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        """Carry states to the current frame.

        Args:
            previous, current: (B, C, H, W) features; only their directions count.
            states: (B, S, H, W) of the previous frame.

        Returns:
            States (B, S, H, W), convex combinations of the given ones, and the confidence (B, 1, H, W) in [-1, 1] of
            their places, from the entropy of the weights: 1 where one previous cell takes all the weight, -1 where all
            that are in reach take as much. Gradient flows to all.
        """
        log_weights, known = self.match(previous, current)
        weights = log_weights.exp()
        entropy = -(weights * log_weights).sum(dim=(1, 2))
        greatest = known.sum(dim=(0, 1)).clamp(min=2).to(entropy).log()
        return gather(weights, states), 1 - 2 * (entropy / greatest)[:, None]

    def match(self, previous: Tensor, current: Tensor) -> tuple[Tensor, Tensor]:
        """Where the cells of the current frame come from.

        Returns:
            Logarithms of weights (B, D, D, H, W) of the previous cells around each current one, which sum to one over
            the displacements (`NEVER` or less outside the map), and which displacements stay inside, (D, D, H, W).
        """
        known = inside(self.max_displacement, previous.shape[-2], previous.shape[-1], previous.device)
        costs = cost_volume(functional.normalize(previous, dim=1), functional.normalize(current, dim=1),
                            self.max_displacement)
        there = _log_softmax(self.forward_matches(costs), known).exp()
        return _log_softmax(self.backward_matches(transpose_volume(there)), known), known


def _log_softmax(scores: Tensor, known: Tensor) -> Tensor:
    """Over the displacements of a volume."""
    return scores.masked_fill(~known, NEVER).flatten(1, 2).log_softmax(dim=1).unflatten(1, scores.shape[1:3])
