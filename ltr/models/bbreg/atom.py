"""ATOM: an IoU predictor on a backbone; the target classifier is learned online, by the tracker.

Reference: Danelljan et al., "ATOM: Accurate Tracking by Overlap Maximization", CVPR 2019, Sec. 3.2.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from ltr.admin.model_constructor import model_constructor
from ltr.models.backbone.resnet import resnet18, resnet50, resnet_small
from ltr.models.bbreg.atom_iou_net import AtomIoUNet


class ATOMnet(nn.Module):
    """The ATOM network.

    Args:
        feature_extractor: backbone, `forward(images, layers) -> {layer: features}`.
        bb_regressor: IoU predictor.
        bb_regressor_layer: backbone layers of the IoU predictor.
        extractor_grad: whether the backbone learns; without, its weights require no gradient, but in training mode its
            batch-norm statistics still follow the images.
        classification_layer: backbone layer that the online classifier works on.
    """

    def __init__(self, feature_extractor: nn.Module, bb_regressor: AtomIoUNet,
                 bb_regressor_layer: Sequence[str] = ('layer2', 'layer3'), extractor_grad: bool = False,
                 classification_layer: str = 'layer3') -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.bb_regressor = bb_regressor
        self.bb_regressor_layer = list(bb_regressor_layer)
        self.classification_layer = classification_layer
        self.output_layers = sorted({classification_layer, *bb_regressor_layer})
        if not extractor_grad:
            feature_extractor.requires_grad_(False)

    def forward(self, train_imgs: Tensor, test_imgs: Tensor, train_bb: Tensor, test_proposals: Tensor) -> Tensor:
        """Predicted IoU in the test frames.

        Args:
            train_imgs: (n, q, 3, H, W) reference frames, normalised; only the first frame is used.
            test_imgs: (n_test, q, 3, H, W).
            train_bb: (n, q, 4) `xywh`, crop px.
            test_proposals: (n_test, q, P, 4) `xywh`, crop px.

        Returns:
            (n_test, q, P) predicted 2 IoU - 1; gradient flows.
        """
        q = train_bb.shape[1]
        features = [[f.unflatten(0, (-1, q)) for f in self.get_backbone_bbreg_feat(
            self.extract_backbone_features(images.flatten(0, 1), self.bb_regressor_layer))]
            for images in (train_imgs, test_imgs)]
        return self.bb_regressor(features[0], features[1], train_bb, test_proposals)

    def extract_backbone_features(self, im: Tensor, layers: Sequence[str] | None = None) -> OrderedDict[str, Tensor]:
        """Backbone features of (N, 3, H, W) by layer name."""
        return self.feature_extractor(im, self.output_layers if layers is None else layers)

    def get_backbone_clf_feat(self, backbone_feat: OrderedDict[str, Tensor]) -> Tensor:
        """The online classifier's layer of `backbone_feat`."""
        return backbone_feat[self.classification_layer]

    def get_backbone_bbreg_feat(self, backbone_feat: OrderedDict[str, Tensor]) -> list[Tensor]:
        """The IoU predictor's layers of `backbone_feat`."""
        return [backbone_feat[layer] for layer in self.bb_regressor_layer]


@model_constructor
def atom_resnet18(iou_input_dim: Sequence[int] = (256, 256), iou_inter_dim: Sequence[int] = (256, 256),
                  backbone_pretrained: bool = True) -> ATOMnet:
    """ATOM on ResNet-18. Arguments as in `AtomIoUNet`; `backbone_pretrained`: ImageNet weights."""
    return ATOMnet(resnet18(pretrained=backbone_pretrained), AtomIoUNet((128, 256), iou_input_dim, iou_inter_dim))


@model_constructor
def atom_resnet50(iou_input_dim: Sequence[int] = (256, 256), iou_inter_dim: Sequence[int] = (256, 256),
                  backbone_pretrained: bool = True) -> ATOMnet:
    """ATOM on ResNet-50. Arguments as in `atom_resnet18`."""
    return ATOMnet(resnet50(pretrained=backbone_pretrained),
                   AtomIoUNet((4 * 128, 4 * 256), iou_input_dim, iou_inter_dim))


@model_constructor
def atom_small(backbone_pretrained: bool = False) -> ATOMnet:
    """ATOM on the backbone of `dimpnet_small`, for 144 px crops. All of it learns: there are no pretrained weights."""
    if backbone_pretrained:
        raise ValueError('atom_small has no pretrained backbone')
    return ATOMnet(resnet_small(), AtomIoUNet((64, 128), (64, 64), (128, 128), (32, 64, 64)), extractor_grad=True)
