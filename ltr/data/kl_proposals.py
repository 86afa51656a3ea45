"""Boxes drawn around a target from a known density, with the density of the label at them (PrDiMP, Sec. 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ltr.data.bounding_box_utils import relative_to_xywh, xywh_to_relative

SigmaPair = Sequence[float]
"""(deviation of the centre, deviation of the size), in relative coordinates."""

DEFAULT_SIGMAS = ((0.05, 0.05), (0.5, 0.5))
MEAN_BOX_DENSITY = (-1.0, 1.0)  # proposal density and label density by which the true box itself is marked


def normal_density(offset: Tensor, sigma: SigmaPair) -> Tensor:
    """Product of four normal densities at relative offsets (..., 4): (...)."""
    deviation = offset.new_tensor([sigma[0], sigma[0], sigma[1], sigma[1]])
    exponent = -0.5 * (offset / deviation).square().sum(dim=-1)
    return torch.exp(exponent) / (4 * math.pi ** 2 * (sigma[0] * sigma[1]) ** 2)


def mixture_density(offset: Tensor, sigmas: Sequence[SigmaPair]) -> Tensor:
    """Equal mixture of `normal_density` over the components."""
    return torch.stack([normal_density(offset, sigma) for sigma in sigmas]).mean(dim=0)


def draw_gmm_proposals(box: Tensor, boxes_per_frame: int = 128, gt_sigma: SigmaPair = (0.05, 0.05),
                       proposal_sigma: Sequence[SigmaPair] = DEFAULT_SIGMAS,
                       add_mean_box: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Proposals of one frame from an equal mixture of Gaussians around its box, in relative coordinates.

    Args:
        box: `xywh` (4,), any frame, of positive size: the mean of all components, and of the label.
        boxes_per_frame: J, boxes that are drawn.
        gt_sigma: deviations of the label density, > 0.
        proposal_sigma: deviations of the components, > 0.
        add_mean_box: put the box itself before the J, with densities -1 and 1, for `MLRegression`.

    Returns:
        Boxes `xywh` (J, 4), their density Q under the mixture (J,), and P under the label (J,); J + 1 with
        `add_mean_box`. Draws from `torch`.
    """
    sigmas = box.new_tensor([[centre, centre, size, size] for centre, size in proposal_sigma])
    component = torch.randint(len(sigmas), (boxes_per_frame,))
    offset = sigmas[component] * torch.randn(boxes_per_frame, 4, dtype=box.dtype)
    proposals = relative_to_xywh(xywh_to_relative(box, box[2:]) + offset, box[2:])
    drawn, label = mixture_density(offset, proposal_sigma), normal_density(offset, gt_sigma)
    if add_mean_box:
        proposals = torch.cat((box[None], proposals))
        drawn = torch.cat((box.new_tensor([MEAN_BOX_DENSITY[0]]), drawn))
        label = torch.cat((box.new_tensor([MEAN_BOX_DENSITY[1]]), label))
    return proposals, drawn, label
