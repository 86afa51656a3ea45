"""The one component of ToMP: reference and test features pass through one transformer, which predicts scores and boxes.

Source: Mayer et al., "Transforming Model Prediction for Tracking", CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from cmd_plugin.components.base import Features, Terms
from cmd_plugin.errors import UserError
from cmd_plugin.losses import classification_loss, overlap_loss


class Joint:
    """Target centre location and box estimation by one predictor, which reads both encodings.

    The reference branch adds the state of the target to its features and gives the decoder's query. The transformer
    runs once for both, in the network of the test branch, as DiMP's IoU predictor does; so it learns with that branch.
    """

    name = 'joint'
    reference = ('head.foreground', 'head.box_encoder')
    test = ('head.features', 'head.test_embedding', 'head.transformer', 'head.filters', 'head.regressor')
    joined = ('head.features',)
    residuals: tuple[str, ...] = ('hinge', 'squared')

    def encode_reference(self, net: Any, feat: Features, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Features with the target's state (B, C, H, W), and the query (B, C)."""
        if not hasattr(net, 'encode_reference'):
            raise UserError(f'{type(net).__name__} is the ToMP of another toolkit: cmd_tomp distils the one of this '
                            'toolkit, on this toolkit')
        return net.encode_reference(feat, boxes), net.head.query(len(boxes))

    def encode_test(self, net: Any, feat: Features) -> list[Tensor]:
        """Features with the mark of a test frame, one map (B, C, H, W)."""
        return [net.encode_test(feat)]

    def interact(self, net: Any, code: tuple[Tensor, Tensor], test: Sequence[Tensor], proposals: Tensor) -> Any:
        """Scores, a box a cell, and the two filters that these come from; proposals are not needed."""
        reference, query = code
        return net.head.predict(reference[None], test[0], query)

    def loss(self, prediction: Any, code: tuple[Tensor, Tensor], data: Mapping[str, Tensor],
             terms: Terms) -> tuple[Tensor, dict[str, float]]:
        """ToMP's own loss: hinge residual of the scores (weight 100) and lambda times 1 - GIoU of the boxes."""
        scores, parts = classification_loss([prediction.scores], [prediction.classifier], data['test_label'],
                                            terms.tcl_loss, terms.mu)
        boxes, more = overlap_loss(prediction.boxes, data['test_anno'], data['test_label'], [prediction.regressor],
                                   terms.nu)
        loss = scores + terms.lambda_ * boxes
        return loss, {'joint': loss.item(), 'tcl': parts['tcl'], **more}
