"""The two components of DiMP: target centre location (TCL) and bounding-box estimation (BBE).

ATOM trains but one network offline, its IoU predictor; that is the same BBE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from cmd_plugin.components.base import Features, Terms
from cmd_plugin.losses import classification_loss, iou_loss


class TCL:
    """Target classifier: the reference branch predicts a filter, the test branch gives the features it runs on.

    Reference: paper, Eq. 2; phi is the model predictor, its iterates are all supervised as in DiMP.
    """

    name = 'tcl'
    reference = ('classifier.filter_initializer', 'classifier.filter_optimizer')
    test = ('classifier.feature_extractor',)
    joined = ('classifier.feature_extractor',)
    residuals: tuple[str, ...] = ('hinge', 'squared')

    def encode_reference(self, net: Any, feat: Features, boxes: Tensor) -> list[Tensor]:
        """Filter iterates (B, C, k, k), the initialiser's first."""
        classifier = net.classifier
        features = classifier.extract_classification_feat(net.get_backbone_clf_feat(feat), len(boxes))
        _, iterates, _ = classifier.get_filter(features, boxes[None], compute_losses=False)
        return iterates

    def encode_test(self, net: Any, feat: Features) -> list[Tensor]:
        """Classification features, one map (B, C, H, W)."""
        backbone = net.get_backbone_clf_feat(feat)
        return [net.classifier.extract_classification_feat(backbone, len(backbone))[0]]

    def interact(self, net: Any, code: list[Tensor], test: Sequence[Tensor], proposals: Tensor) -> list[Tensor]:
        """Score maps (B, H', W') of every iterate."""
        return [net.classifier.classify(weights, test[0][None])[0] for weights in code]

    def loss(self, prediction: list[Tensor], code: list[Tensor], data: Mapping[str, Tensor],
             terms: Terms) -> tuple[Tensor, dict[str, float]]:
        """DiMP's classification loss, or Eq. 2's, against the Gaussian pseudo label."""
        return classification_loss(prediction, code, data['test_label'], terms.tcl_loss, terms.mu)


class BBE:
    """IoU predictor: the reference branch makes modulation vectors, the test branch IoU features.

    Reference: paper, Eq. 3; theta makes the modulation vectors, varphi the test features, psi is the predictor.
    """

    name = 'bbe'
    reference = tuple(f'bb_regressor.{part}' for part in ('conv3_1r', 'conv4_1r', 'fc3_1r', 'fc34_3r', 'fc34_4r'))
    test = tuple(f'bb_regressor.{part}' for part in ('conv3_1t', 'conv3_2t', 'conv4_1t', 'conv4_2t', 'fc3_rt',
                                                     'fc4_rt', 'iou_predictor'))
    joined = ('bb_regressor.conv3_1r', 'bb_regressor.conv4_1r')

    def encode_reference(self, net: Any, feat: Features, boxes: Tensor) -> list[Tensor]:
        """Two modulation vectors (B, C, 1, 1)."""
        return list(net.bb_regressor.get_modulation(net.get_backbone_bbreg_feat(feat), boxes))

    def encode_test(self, net: Any, feat: Features) -> list[Tensor]:
        """IoU features of two layers, (B, C, H, W)."""
        return list(net.bb_regressor.get_iou_feat(net.get_backbone_bbreg_feat(feat)))

    def interact(self, net: Any, code: list[Tensor], test: Sequence[Tensor], proposals: Tensor) -> Tensor:
        """Predicted 2 IoU - 1 of the proposals, (B, P)."""
        return net.bb_regressor.predict_iou(code, test, proposals)

    def loss(self, prediction: Tensor, code: list[Tensor], data: Mapping[str, Tensor],
             terms: Terms) -> tuple[Tensor, dict[str, float]]:
        """Squared error against 2 IoU - 1 of proposal and pseudo box."""
        return iou_loss(prediction, data['proposal_iou'], code, terms.nu)
