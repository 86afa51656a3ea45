"""A tracker is a backbone plus two-branch components; this is what a component says of itself.

Legend: B rows, P proposals a row. Every row has one reference and one test image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

Features = Mapping[str, Tensor]
"""Backbone features by layer, (B, C, H, W) each."""


class Terms(Protocol):
    """Weights and kinds of loss terms (paper, Eq. 1-3); a recipe has them."""

    @property
    def lambda_(self) -> float:
        """Weight of boxes beside scores, for components that predict both; else the actor applies it to `bbe`."""

    @property
    def mu(self) -> float:
        """Weight of || phi ||^2, the filter."""

    @property
    def nu(self) -> float:
        """Weight of || theta ||^2, the modulation vectors."""

    @property
    def tcl_loss(self) -> str:
        """Kind of residual: `hinge`, `squared` or `kl`, as far as the component knows it."""


class Component(Protocol):
    """One two-branch part of a tracker network."""

    @property
    def name(self) -> str:
        """As recipes call it."""

    @property
    def reference(self) -> tuple[str, ...]:
        """Names of the modules of the reference branch."""

    @property
    def test(self) -> tuple[str, ...]:
        """Names of the modules of the test branch."""

    @property
    def joined(self) -> tuple[str, ...]:
        """Modules of the reference branch whose outputs, maps (B, C, H, W), the spatial mix joins."""

    def encode_reference(self, net: Any, feat: Features, boxes: Tensor) -> Any:
        """Code of the target from reference features and its `xywh` boxes (B, 4), crop px."""

    def encode_test(self, net: Any, feat: Features) -> Sequence[Tensor]:
        """Test features, maps (B, C, H, W)."""

    def interact(self, net: Any, code: Any, test: Sequence[Tensor], proposals: Tensor) -> Any:
        """Prediction on the test images; `proposals` (B, P, 4) `xywh`, crop px."""

    def loss(self, prediction: Any, code: Any, data: Mapping[str, Tensor],
             terms: Terms) -> tuple[Tensor, dict[str, float]]:
        """Distillation loss against the pseudo targets of the test branch, mean over rows, and its parts.

        `code` is what `encode_reference` gave, for the terms on its norm; `data` holds every tensor of the batch
        without its frame axis: `test_label` (B, H', W') and `proposal_iou` (B, P), 2 IoU - 1, or what the family's
        processing gives in their place.
        """


def belongs(key: str, modules: Sequence[str]) -> bool:
    """Whether a state-dict key lies in one of the named modules."""
    return any(key == module or key.startswith(module + '.') for module in modules)


def branch_modules(component: Component, branch: str) -> tuple[str, ...]:
    """Modules of `branch`: `'reference'`, `'test'` or `'both'`."""
    parts = {'reference': component.reference, 'test': component.test,
             'both': component.reference + component.test}
    return parts[branch]


def graft(state: dict[str, Tensor], donor: Mapping[str, Tensor], modules: Sequence[str]) -> None:
    """Put the donor's entries of the named modules into a state dictionary."""
    state.update({key: value for key, value in donor.items() if belongs(key, modules)})
