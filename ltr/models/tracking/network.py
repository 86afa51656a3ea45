"""The network of the DiMP family: a target classifier and an IoU predictor on one backbone.

Reference: Bhat et al., "Learning Discriminative Model Prediction for Tracking", ICCV 2019.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.target_classifier.linear_filter import LinearFilter


class DiMPnet(nn.Module):
    """The DiMP network.

    Args:
        feature_extractor: backbone, `forward(images, layers) -> {layer: features}`.
        classifier: target classifier, such as `LinearFilter`.
        bb_regressor: IoU predictor, such as `AtomIoUNet`.
        classification_layer: backbone layer of the classifier.
        bb_regressor_layer: backbone layers of the IoU predictor.
    """

    def __init__(self, feature_extractor: nn.Module, classifier: LinearFilter, bb_regressor: AtomIoUNet,
                 classification_layer: str = 'layer3',
                 bb_regressor_layer: Sequence[str] = ('layer2', 'layer3')) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.classifier = classifier
        self.bb_regressor = bb_regressor
        self.classification_layer = classification_layer
        self.bb_regressor_layer = list(bb_regressor_layer)
        self.output_layers = sorted({classification_layer, *bb_regressor_layer})

    def forward(self, train_imgs: Tensor, test_imgs: Tensor, train_bb: Tensor,
                test_proposals: Tensor) -> tuple[list[Tensor], Tensor]:
        """Scores and predicted IoU of the test frames.

        Args:
            train_imgs: (n, q, 3, H, W) reference frames, normalised.
            test_imgs: (n_test, q, 3, H, W).
            train_bb: (n, q, 4) `xywh`, crop px.
            test_proposals: (n_test, q, P, 4) `xywh`, crop px.

        Returns:
            Score maps (n_test, q, H', W') of every filter iterate, and (n_test, q, P) predicted 2 IoU - 1.
        """
        q = train_bb.shape[1]
        train = self.extract_backbone_features(train_imgs.flatten(0, 1))
        test = self.extract_backbone_features(test_imgs.flatten(0, 1))
        scores = self.classifier(self.get_backbone_clf_feat(train), self.get_backbone_clf_feat(test), train_bb)
        iou = self.bb_regressor([f.unflatten(0, (-1, q)) for f in self.get_backbone_bbreg_feat(train)],
                                [f.unflatten(0, (-1, q)) for f in self.get_backbone_bbreg_feat(test)],
                                train_bb, test_proposals)
        return scores, iou

    def extract_backbone_features(self, im: Tensor, layers: Sequence[str] | None = None) -> OrderedDict[str, Tensor]:
        """Backbone features of (N, 3, H, W) by layer name."""
        return self.feature_extractor(im, self.output_layers if layers is None else layers)

    def get_backbone_clf_feat(self, backbone_feat: OrderedDict[str, Tensor]) -> Tensor:
        """The classifier's layer of `backbone_feat`."""
        return backbone_feat[self.classification_layer]

    def get_backbone_bbreg_feat(self, backbone_feat: OrderedDict[str, Tensor]) -> list[Tensor]:
        """The IoU predictor's layers of `backbone_feat`."""
        return [backbone_feat[layer] for layer in self.bb_regressor_layer]

    def extract_classification_feat(self, backbone_feat: OrderedDict[str, Tensor]) -> Tensor:
        """Classification features (N, C, h, w) of `backbone_feat`."""
        return self.classifier.extract_classification_feat(self.get_backbone_clf_feat(backbone_feat))


def norm_scale_of(out_feature_dim: int, filter_size: int) -> float:
    """Scale that keeps a filter response of unit features near unit variance."""
    return math.sqrt(1.0 / (out_feature_dim * filter_size ** 2))
