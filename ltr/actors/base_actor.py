"""What the trainer asks of an actor."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class BaseActor:
    """Runs a network on a batch and computes the loss.

    Args:
        net: the network that is trained; its weights go into the checkpoints.
        objective: the loss, or a dictionary of losses by name.
    """

    def __init__(self, net: nn.Module, objective: Any) -> None:
        self.net = net
        self.objective = objective

    def __call__(self, data: Any) -> tuple[Tensor, dict[str, float]]:
        """Forward pass on a batch.

        Args:
            data: dictionary of tensors as the loader collates them.

        Returns:
            The scalar loss, through which gradient flows, and numbers by name to show and log.
        """
        raise NotImplementedError

    def to(self, device: torch.device | str) -> None:
        """Move the network (and losses that hold tensors) to `device`."""
        self.net.to(device)
        losses = self.objective.values() if isinstance(self.objective, dict) else [self.objective]
        for loss in losses:
            if isinstance(loss, nn.Module):
                loss.to(device)

    def train(self, mode: bool = True) -> None:
        """Put the network into training mode, or evaluation mode with `mode=False`."""
        self.net.train(mode)

    def eval(self) -> None:
        """Put the network into evaluation mode."""
        self.train(False)
