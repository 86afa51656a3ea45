"""The response predictor of KYS: where the target is, from its appearance and from what is known of the scene.

Reference: Bhat et al., "Know Your Surroundings: Exploiting Scene Information for Object Tracking", ECCV 2020, Sec. 3.

Legend: B sequences, C channels, S state channels, H' x W' cells of the score map, on which everything here lies.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ltr.models.kys.gru import ConvGRU
from ltr.models.kys.propagation import StatePropagation

GAIN, MIDDLE = 10.0, 0.25
"""Before training the response is a sigmoid of the score: how steep it is, and the score at which it is one half."""


class Scene(NamedTuple):
    """What is remembered of a frame.

    Attributes:
        states: (B, S, H', W') in [-1, 1], of every cell: target, distractor, background.
        features: (B, C, H', W') by which its cells are found again.
    """

    states: Tensor
    features: Tensor


class Response(NamedTuple):
    """What is predicted of a frame.

    Attributes:
        fused: (B, H', W') in [0, 1]: the target is here, from appearance and scene.
        target: (B, H', W') logits: the target is here, from the propagated states alone (auxiliary).
        confidence: (B, H', W') in [-1, 1], of the propagation.
    """

    fused: Tensor
    target: Tensor
    confidence: Tensor


class ResponsePredictor(nn.Module):
    """Propagates the states of a scene, predicts the fused response, and updates the states (paper, Sec. 3).

    What the states say is added to the appearance score: an untrained network localises as the classifier does (the
    paper's predictor has no such start).

    Args:
        state_dim: S.
        max_displacement: greatest displacement of a cell between two frames.
        match_dim: channels of the processing of matching costs.
        hidden_dim: channels of the other networks.
        least_appearance: where the appearance score is lower, the response is 0: what does not look like the target
            is not the target.
    """

    def __init__(self, state_dim: int = 8, max_displacement: int = 9, match_dim: int = 8, hidden_dim: int = 16,
                 least_appearance: float = 0.05) -> None:
        super().__init__()
        self.least_appearance = least_appearance
        self.initial = nn.Sequential(_conv(1, hidden_dim), nn.ReLU(), _conv(hidden_dim, state_dim), nn.Tanh())
        self.propagation = StatePropagation(max_displacement, match_dim)
        self.predictor = nn.Sequential(_conv(state_dim + 2, hidden_dim), nn.ReLU(), _conv(hidden_dim, hidden_dim),
                                       nn.ReLU(), _conv(hidden_dim, 1))
        self.gain = nn.Parameter(torch.tensor(GAIN))
        nn.init.zeros_(self.predictor[-1].weight)  # type: ignore[arg-type]
        nn.init.constant_(self.predictor[-1].bias, -GAIN * MIDDLE)  # type: ignore[arg-type]
        self.update = ConvGRU(2, state_dim)
        self.target = nn.Sequential(_conv(state_dim + 1, hidden_dim), nn.ReLU(), _conv(hidden_dim, 1))

    def start(self, label: Tensor, features: Tensor) -> Scene:
        """The scene of the first frame, whose target is known.

        Args:
            label: (B, H', W'), near 1 at the target's centre and 0 elsewhere.
            features: (B, C, H', W').
        """
        return Scene(self.initial(label[:, None]), features)

    def forward(self, scene: Scene, features: Tensor, appearance: Tensor) -> tuple[Response, Scene]:
        """One frame.

        Args:
            scene: of the frame before.
            features: (B, C, H', W').
            appearance: (B, H', W') scores of the target classifier.

        Returns:
            The response, and the scene of this frame; gradient flows to all inputs, but not through the mask of low
            appearance.
        """
        states, confidence = self.propagation(scene.features, features, scene.states)
        carried = torch.cat((states, confidence), dim=1)
        scores = appearance[:, None]
        fused = torch.sigmoid(self.predictor(torch.cat((carried, scores), dim=1)) + self.gain * scores)
        fused = fused.masked_fill(scores < self.least_appearance, 0)
        updated = self.update(torch.cat((fused, scores), dim=1), states)
        return Response(fused[:, 0], self.target(carried)[:, 0], confidence[:, 0]), Scene(updated, features)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
    nn.init.kaiming_normal_(conv.weight)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv
