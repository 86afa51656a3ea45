"""What distillation needs to know of the tracker: its one two-branch component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from cmd_plugin.components import Features
from cmd_plugin.components.base import Terms


class Match:
    """The vector of the target (reference) against the map that is searched (test)."""

    name = 'match'
    reference = ('reference',)
    test = ('test',)
    joined = ('reference',)

    def encode_reference(self, net: Any, feat: Features, boxes: Tensor) -> Tensor:
        """Vector of the target, (B, C)."""
        return net.target(feat, boxes)

    def encode_test(self, net: Any, feat: Features) -> list[Tensor]:
        """The map that is searched, (B, C, H', W')."""
        return [net.search(feat)]

    def interact(self, net: Any, code: Tensor, test: Sequence[Tensor], proposals: Tensor) -> Tensor:
        """Score maps (B, H', W')."""
        return net.scores(code, test[0])

    def loss(self, prediction: Tensor, code: Tensor, data: Mapping[str, Tensor],
             terms: Terms) -> tuple[Tensor, dict[str, float]]:
        """Squared error against the Gaussian label around the pseudo box."""
        loss = (prediction - data['test_label']).square().mean()
        return loss, {self.name: loss.item()}
