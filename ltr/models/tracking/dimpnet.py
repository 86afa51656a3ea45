"""DiMP: a target classifier and an IoU predictor on one backbone.

Reference: Bhat et al., "Learning Discriminative Model Prediction for Tracking", ICCV 2019.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ltr.admin.model_constructor import model_constructor
from ltr.models.backbone.resnet import resnet18, resnet50, resnet_small
from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.target_classifier.features import residual_basic_block, residual_bottleneck
from ltr.models.target_classifier.initializer import FilterInitializerLinear
from ltr.models.target_classifier.linear_filter import LinearFilter
from ltr.models.target_classifier.optimizer import DiMPSteepestDescentGN


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


STOCK_OPTIONS: Mapping[str, Any] = {
    'filter_size': 4, 'optim_iter': 5, 'optim_init_step': 0.9, 'optim_init_reg': 0.1, 'init_gauss_sigma': 0.9,
    'num_dist_bins': 100, 'bin_displacement': 0.1, 'mask_init_factor': 3.0, 'target_mask_act': 'sigmoid',
    'score_act': 'relu'}
"""Arguments that the stock settings give to `dimpnet18` and `dimpnet50`."""


def _classifier(head: nn.Module, out_feature_dim: int, filter_size: int, init_filter_norm: bool, optim_iter: int,
                optim_init_step: float, optim_init_reg: float, feat_stride: int, init_gauss_sigma: float,
                num_dist_bins: int, bin_displacement: float, mask_init_factor: float, score_act: str,
                act_param: float | None, target_mask_act: str, detach_length: float) -> LinearFilter:
    initializer = FilterInitializerLinear(filter_size, out_feature_dim, filter_norm=init_filter_norm)
    optimizer = DiMPSteepestDescentGN(
        num_iter=optim_iter, feat_stride=feat_stride, init_step_length=optim_init_step,
        init_filter_reg=optim_init_reg, init_gauss_sigma=init_gauss_sigma, num_dist_bins=num_dist_bins,
        bin_displacement=bin_displacement, mask_init_factor=mask_init_factor, score_act=score_act,
        act_param=act_param, mask_act=target_mask_act, detach_length=detach_length)
    return LinearFilter(filter_size, initializer, optimizer, head)


def _norm_scale(out_feature_dim: int, filter_size: int) -> float:
    """Scale that keeps a filter response of unit features near unit variance."""
    return math.sqrt(1.0 / (out_feature_dim * filter_size ** 2))


@model_constructor
def dimpnet18(filter_size: int = 1, optim_iter: int = 5, optim_init_step: float = 1.0, optim_init_reg: float = 0.01,
              classification_layer: str = 'layer3', feat_stride: int = 16, backbone_pretrained: bool = True,
              clf_feat_blocks: int = 1, clf_feat_norm: bool = True, init_filter_norm: bool = False,
              final_conv: bool = True, out_feature_dim: int = 256, init_gauss_sigma: float = 1.0,
              num_dist_bins: int = 5, bin_displacement: float = 1.0, mask_init_factor: float = 4.0,
              iou_input_dim: Sequence[int] = (256, 256), iou_inter_dim: Sequence[int] = (256, 256),
              score_act: str = 'relu', act_param: float | None = None, target_mask_act: str = 'sigmoid',
              detach_length: float = math.inf, frozen_backbone_layers: str | Sequence[str] = ()) -> DiMPnet:
    """DiMP on ResNet-18. Arguments as in `DiMPSteepestDescentGN`, the feature heads and `AtomIoUNet`."""
    backbone = resnet18(pretrained=backbone_pretrained, frozen_layers=frozen_backbone_layers)
    head = residual_basic_block(256, clf_feat_blocks, clf_feat_norm, final_conv,
                                _norm_scale(out_feature_dim, filter_size), out_feature_dim)
    classifier = _classifier(head, out_feature_dim, filter_size, init_filter_norm, optim_iter, optim_init_step,
                             optim_init_reg, feat_stride, init_gauss_sigma, num_dist_bins, bin_displacement,
                             mask_init_factor, score_act, act_param, target_mask_act, detach_length)
    return DiMPnet(backbone, classifier, AtomIoUNet((128, 256), iou_input_dim, iou_inter_dim),
                   classification_layer)


@model_constructor
def dimpnet50(filter_size: int = 1, optim_iter: int = 5, optim_init_step: float = 1.0, optim_init_reg: float = 0.01,
              classification_layer: str = 'layer3', feat_stride: int = 16, backbone_pretrained: bool = True,
              clf_feat_blocks: int = 0, clf_feat_norm: bool = True, init_filter_norm: bool = False,
              final_conv: bool = True, out_feature_dim: int = 512, init_gauss_sigma: float = 1.0,
              num_dist_bins: int = 5, bin_displacement: float = 1.0, mask_init_factor: float = 4.0,
              iou_input_dim: Sequence[int] = (256, 256), iou_inter_dim: Sequence[int] = (256, 256),
              score_act: str = 'relu', act_param: float | None = None, target_mask_act: str = 'sigmoid',
              detach_length: float = math.inf, frozen_backbone_layers: str | Sequence[str] = ()) -> DiMPnet:
    """DiMP on ResNet-50. Arguments as in `dimpnet18`."""
    backbone = resnet50(pretrained=backbone_pretrained, frozen_layers=frozen_backbone_layers)
    head = residual_bottleneck(256, clf_feat_blocks, clf_feat_norm, final_conv,
                               _norm_scale(out_feature_dim, filter_size), out_feature_dim)
    classifier = _classifier(head, out_feature_dim, filter_size, init_filter_norm, optim_iter, optim_init_step,
                             optim_init_reg, feat_stride, init_gauss_sigma, num_dist_bins, bin_displacement,
                             mask_init_factor, score_act, act_param, target_mask_act, detach_length)
    return DiMPnet(backbone, classifier, AtomIoUNet((4 * 128, 4 * 256), iou_input_dim, iou_inter_dim),
                   classification_layer)


@model_constructor
def dimpnet_small(filter_size: int = 4, optim_iter: int = 5, backbone_pretrained: bool = False,
                  out_feature_dim: int = 96) -> DiMPnet:
    """DiMP of about a million weights for 144 px crops: trains on two CPU cores in minutes. No pretrained weights."""
    if backbone_pretrained:
        raise ValueError('dimpnet_small has no pretrained backbone')
    head = residual_basic_block(128, 0, norm_scale=_norm_scale(out_feature_dim, filter_size),
                                out_dim=out_feature_dim)
    classifier = _classifier(head, out_feature_dim, filter_size, False, optim_iter, 0.9, 0.1, 16, 0.9, 100, 0.1,
                             3.0, 'relu', None, 'sigmoid', math.inf)
    regressor = AtomIoUNet((64, 128), (64, 64), (128, 128), (32, 64, 64))
    return DiMPnet(resnet_small(), classifier, regressor)
