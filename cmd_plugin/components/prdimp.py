"""The components of PrDiMP and SuperDiMP, whose predictions are densities: DiMP's branches under other losses.

Source: Danelljan, Van Gool, Timofte, "Probabilistic Regression for Visual Tracking", CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from cmd_plugin.components.base import Terms
from cmd_plugin.components.dimp import BBE, TCL
from cmd_plugin.losses import box_density_loss, classification_loss

SCORE_WEIGHT = 1 / 400
"""PrDiMP gives its iterates the weights 0.25, 0.25 and 1 where DiMP has 100, 100 and 400."""


class DensityTCL(TCL):
    """Target classifier whose score map is the logarithm of a density of the target's centre (PrDiMP, Sec. 5)."""

    residuals = ('kl',)

    def loss(self, prediction: list[Tensor], code: list[Tensor], data: Mapping[str, Tensor],
             terms: Terms) -> tuple[Tensor, dict[str, float]]:
        """KL divergence of every iterate's score map from the label density around the pseudo box."""
        return classification_loss(prediction, code, data['test_label_density'], terms.tcl_loss, terms.mu,
                                   SCORE_WEIGHT)


@dataclass(frozen=True)
class DensityBBE(BBE):
    """IoU predictor whose output is the logarithm of a density of boxes (PrDiMP, Sec. 4).

    Attributes:
        weight: of the divergence, as in the tracker's own training.
    """

    weight: float

    def loss(self, prediction: Tensor, code: list[Tensor], data: Mapping[str, Tensor],
             terms: Terms) -> tuple[Tensor, dict[str, float]]:
        """KL divergence from the density around the pseudo box, over proposals drawn from a known density."""
        return box_density_loss(prediction, data['proposal_density'], data['gt_density'], code, terms.nu, self.weight)
