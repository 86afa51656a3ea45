"""A gated recurrent unit on maps (Ballas et al., "Delving Deeper into Convolutional Networks ...", ICLR 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvGRU(nn.Module):
    """h' = (1 - z) h + z n with z, r = sigmoid(conv(x, h)) and n = tanh(conv(x, r h)); states in [-1, 1] stay there.

    Args:
        inputs: channels of x.
        states: channels of h.
        kernel_size: of the convolutions, odd.
    """

    def __init__(self, inputs: int, states: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.gates = nn.Conv2d(inputs + states, 2 * states, kernel_size, padding=kernel_size // 2)
        self.candidate = nn.Conv2d(inputs + states, states, kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """New states (B, S, H, W) from inputs (B, inputs, H, W) and states; gradient flows to both."""
        update, reset = torch.sigmoid(self.gates(torch.cat((x, h), dim=1))).chunk(2, dim=1)
        candidate = torch.tanh(self.candidate(torch.cat((x, reset * h), dim=1)))
        return torch.lerp(h, candidate, update)
