"""Networks of PrDiMP: DiMP's, with a model predictor that descends the KL divergence.

Reference: Danelljan, Van Gool, Timofte, "Probabilistic Regression for Visual Tracking", CVPR 2020.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from torch import nn

from ltr.admin.model_constructor import model_constructor
from ltr.models.backbone.resnet import resnet18, resnet50, resnet_small
from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.target_classifier.features import residual_basic_block, residual_bottleneck
from ltr.models.target_classifier.initializer import FilterInitializerLinear
from ltr.models.target_classifier.kl_descent import PrDiMPSteepestDescentNewton
from ltr.models.target_classifier.linear_filter import LinearFilter
from ltr.models.tracking.network import DiMPnet, norm_scale_of

P = ParamSpec('P')
R = TypeVar('R')

PRDIMP_OPTIONS: Mapping[str, Any] = {
    'filter_size': 4, 'optim_iter': 5, 'optim_init_step': 1.0, 'optim_init_reg': 0.05, 'optim_min_reg': 0.05,
    'gauss_sigma': 0.9, 'alpha_eps': 0.05, 'normalize_label': True, 'init_initializer': 'zero'}
"""Arguments that the stock settings of PrDiMP give to `klcedimpnet18` and `klcedimpnet50`."""


def _public_in_dimpnet(function: Callable[P, R]) -> Callable[P, R]:
    """Checkpoints name the module where users find these constructors, not the file that they are written in."""
    function.__module__ = 'ltr.models.tracking.dimpnet'
    return function


def _classifier(head: nn.Module, initializer: FilterInitializerLinear, **descent: Any) -> LinearFilter:
    return LinearFilter(initializer.filter_size, initializer, PrDiMPSteepestDescentNewton(**descent), head)


@model_constructor
@_public_in_dimpnet
def klcedimpnet18(filter_size: int = 1, optim_iter: int = 5, optim_init_step: float = 1.0,
                  optim_init_reg: float = 0.01, classification_layer: str = 'layer3', feat_stride: int = 16,
                  backbone_pretrained: bool = True, clf_feat_blocks: int = 1, clf_feat_norm: bool = True,
                  init_filter_norm: bool = False, final_conv: bool = True, out_feature_dim: int = 256,
                  gauss_sigma: float = 1.0, iou_input_dim: Sequence[int] = (256, 256),
                  iou_inter_dim: Sequence[int] = (256, 256), detach_length: float = math.inf,
                  alpha_eps: float = 0.0, train_feature_extractor: bool = True, init_uni_weight: float | None = None,
                  optim_min_reg: float = 1e-3, init_initializer: str = 'default', normalize_label: bool = False,
                  label_shrink: float = 0.0, softmax_reg: float | None = None, label_threshold: float = 0.0,
                  final_relu: bool = False, init_pool_square: bool = False,
                  frozen_backbone_layers: str | Sequence[str] = ()) -> DiMPnet:
    """PrDiMP on ResNet-18.

    Arguments as in `PrDiMPSteepestDescentNewton`, `FilterInitializerLinear`, the feature heads and `AtomIoUNet`;
    without `train_feature_extractor` the whole backbone is frozen.
    """
    frozen = frozen_backbone_layers if train_feature_extractor else 'all'
    backbone = resnet18(pretrained=backbone_pretrained, frozen_layers=frozen)
    head = residual_basic_block(256, clf_feat_blocks, clf_feat_norm, final_conv,
                                norm_scale_of(out_feature_dim, filter_size), out_feature_dim, final_relu)
    initializer = FilterInitializerLinear(filter_size, out_feature_dim, init_filter_norm, init_pool_square,
                                          init_initializer)
    classifier = _classifier(
        head, initializer, num_iter=optim_iter, feat_stride=feat_stride, init_step_length=optim_init_step,
        init_filter_reg=optim_init_reg, gauss_sigma=gauss_sigma, min_filter_reg=optim_min_reg,
        detach_length=detach_length, alpha_eps=alpha_eps, init_uni_weight=init_uni_weight,
        normalize_label=normalize_label, label_shrink=label_shrink, softmax_reg=softmax_reg,
        label_threshold=label_threshold)
    return DiMPnet(backbone, classifier, AtomIoUNet((128, 256), iou_input_dim, iou_inter_dim), classification_layer)


@model_constructor
@_public_in_dimpnet
def klcedimpnet50(filter_size: int = 1, optim_iter: int = 5, optim_init_step: float = 1.0,
                  optim_init_reg: float = 0.01, classification_layer: str = 'layer3', feat_stride: int = 16,
                  backbone_pretrained: bool = True, clf_feat_blocks: int = 0, clf_feat_norm: bool = True,
                  init_filter_norm: bool = False, final_conv: bool = True, out_feature_dim: int = 512,
                  gauss_sigma: float = 1.0, iou_input_dim: Sequence[int] = (256, 256),
                  iou_inter_dim: Sequence[int] = (256, 256), detach_length: float = math.inf,
                  alpha_eps: float = 0.0, train_feature_extractor: bool = True, init_uni_weight: float | None = None,
                  optim_min_reg: float = 1e-3, init_initializer: str = 'default', normalize_label: bool = False,
                  label_shrink: float = 0.0, softmax_reg: float | None = None, label_threshold: float = 0.0,
                  final_relu: bool = False, frozen_backbone_layers: str | Sequence[str] = ()) -> DiMPnet:
    """PrDiMP on ResNet-50. Arguments as in `klcedimpnet18`."""
    frozen = frozen_backbone_layers if train_feature_extractor else 'all'
    backbone = resnet50(pretrained=backbone_pretrained, frozen_layers=frozen)
    head = residual_bottleneck(256, clf_feat_blocks, clf_feat_norm, final_conv,
                               norm_scale_of(out_feature_dim, filter_size), out_feature_dim, final_relu)
    initializer = FilterInitializerLinear(filter_size, out_feature_dim, init_filter_norm,
                                          init_weights=init_initializer)
    classifier = _classifier(
        head, initializer, num_iter=optim_iter, feat_stride=feat_stride, init_step_length=optim_init_step,
        init_filter_reg=optim_init_reg, gauss_sigma=gauss_sigma, min_filter_reg=optim_min_reg,
        detach_length=detach_length, alpha_eps=alpha_eps, init_uni_weight=init_uni_weight,
        normalize_label=normalize_label, label_shrink=label_shrink, softmax_reg=softmax_reg,
        label_threshold=label_threshold)
    return DiMPnet(backbone, classifier, AtomIoUNet((4 * 128, 4 * 256), iou_input_dim, iou_inter_dim),
                   classification_layer)


@model_constructor
@_public_in_dimpnet
def klcedimpnet_small(backbone_pretrained: bool = False, out_feature_dim: int = 96) -> DiMPnet:
    """PrDiMP on the parts of `dimpnet_small`, for 144 px crops. No pretrained weights."""
    if backbone_pretrained:
        raise ValueError('klcedimpnet_small has no pretrained backbone')
    head = residual_basic_block(128, 0, norm_scale=norm_scale_of(out_feature_dim, 4), out_dim=out_feature_dim)
    initializer = FilterInitializerLinear(4, out_feature_dim, init_weights='zero')
    classifier = _classifier(head, initializer, num_iter=5, init_step_length=1.0, init_filter_reg=0.05,
                             gauss_sigma=0.9, min_filter_reg=0.05, alpha_eps=0.05, normalize_label=True)
    return DiMPnet(resnet_small(), classifier, AtomIoUNet((64, 128), (64, 64), (128, 128), (32, 64, 64)))
