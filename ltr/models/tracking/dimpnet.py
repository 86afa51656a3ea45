"""Constructors of the networks of the DiMP family, under the names that checkpoints give them.

Reference: Bhat et al., "Learning Discriminative Model Prediction for Tracking", ICCV 2019.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from ltr.admin.model_constructor import model_constructor
from ltr.models.backbone.resnet import resnet18, resnet50, resnet_small
from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.target_classifier.features import residual_basic_block, residual_bottleneck
from ltr.models.target_classifier.initializer import FilterInitializerLinear
from ltr.models.target_classifier.linear_filter import LinearFilter
from ltr.models.target_classifier.optimizer import DiMPSteepestDescentGN
from ltr.models.tracking.kldimpnet import klcedimpnet18, klcedimpnet50, klcedimpnet_small
from ltr.models.tracking.network import DiMPnet, norm_scale_of

__all__ = ['STOCK_OPTIONS', 'DiMPnet', 'dimpnet18', 'dimpnet50', 'dimpnet_small', 'klcedimpnet18', 'klcedimpnet50',
           'klcedimpnet_small']

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
                                norm_scale_of(out_feature_dim, filter_size), out_feature_dim)
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
                               norm_scale_of(out_feature_dim, filter_size), out_feature_dim)
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
    head = residual_basic_block(128, 0, norm_scale=norm_scale_of(out_feature_dim, filter_size),
                                out_dim=out_feature_dim)
    classifier = _classifier(head, out_feature_dim, filter_size, False, optim_iter, 0.9, 0.1, 16, 0.9, 100, 0.1,
                             3.0, 'relu', None, 'sigmoid', math.inf)
    regressor = AtomIoUNet((64, 128), (64, 64), (128, 128), (32, 64, 64))
    return DiMPnet(resnet_small(), classifier, regressor)
