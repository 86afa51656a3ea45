"""Classification feature heads on backbone layer3 (DiMP, Sec. 3.5)."""

from __future__ import annotations

import math

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from ltr.models.layers.normalization import InstanceL2Norm


def residual_basic_block(feature_dim: int = 256, num_blocks: int = 1, l2norm: bool = True, final_conv: bool = True,
                         norm_scale: float = 1.0, out_dim: int = 256, final_relu: bool = False) -> nn.Sequential:
    """Basic residual blocks, a 3x3 convolution without bias, and the instance norm: (N, feature_dim, H, W) -> out_dim.

    Without `final_conv` the last block produces `out_dim`. With `final_relu` a ReLU lies between the convolution and
    the norm.
    """
    layers: list[nn.Module] = []
    for index in range(num_blocks):
        planes = out_dim if index == num_blocks - 1 and not final_conv else feature_dim
        layers.append(BasicBlock(feature_dim, planes))
    return _head(layers, feature_dim, out_dim, final_conv, final_relu, l2norm, norm_scale)


def residual_bottleneck(feature_dim: int = 256, num_blocks: int = 0, l2norm: bool = True, final_conv: bool = True,
                        norm_scale: float = 1.0, out_dim: int = 512, final_relu: bool = False) -> nn.Sequential:
    """As `residual_basic_block`, with bottlenecks on 4 * feature_dim input channels."""
    layers: list[nn.Module] = []
    for index in range(num_blocks):
        planes = out_dim // 4 if index == num_blocks - 1 and not final_conv else feature_dim
        layers.append(Bottleneck(4 * feature_dim, planes))
    return _head(layers, 4 * feature_dim, out_dim, final_conv, final_relu, l2norm, norm_scale)


def _head(layers: list[nn.Module], in_dim: int, out_dim: int, final_conv: bool, final_relu: bool,
          l2norm: bool, norm_scale: float) -> nn.Sequential:
    if final_conv:
        layers.append(nn.Conv2d(in_dim, out_dim, kernel_size=3, padding=1, bias=False))
        if final_relu:
            layers.append(nn.ReLU(inplace=True))
    if l2norm:
        layers.append(InstanceL2Norm(scale=norm_scale))
    head = nn.Sequential(*layers)
    for module in head.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
            nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / fan_out))
    return head
