"""Loss on boxes that cells predict."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.ops import box_convert, generalized_box_iou_loss

from ltr.admin import distributed


class GIoULoss(nn.Module):
    """1 - generalised IoU, in [0, 2], mean over the cells at the target (ToMP, Sec. 3.4), of all processes of a run.

    Reference: Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019. Which cells count is our choice.

    Args:
        threshold: cells whose label is not less count: those that the hinge loss takes for the target.
    """

    def __init__(self, threshold: float = 0.05) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, boxes: Tensor, target: Tensor, label: Tensor) -> Tensor:
        """Scalar loss.

        Args:
            boxes: (..., H, W, 4) `xywh`, one a cell; any frame, that of `target`.
            target: (..., 4) `xywh`.
            label: (..., H, W), Gaussian of peak 1 at the target's centre.

        Returns:
            The mean, through which gradient flows to `boxes`; 0, with zero gradients, where no cell counts.
        """
        counted = label >= self.threshold
        weight = distributed.weight_of(int(counted.sum()))
        if not counted.any():
            return 0.0 * boxes.sum()
        wanted = target[..., None, None, :].expand_as(boxes)[counted]
        return weight * generalized_box_iou_loss(box_convert(boxes[counted], 'xywh', 'xyxy'),
                                                 box_convert(wanted, 'xywh', 'xyxy'), reduction='mean')
