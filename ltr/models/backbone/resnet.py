"""ResNet with named intermediate outputs; the state dict is torchvision's, name by name.

Reference: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
import torchvision.models
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from ltr.admin.errors import UserError
from ltr.models.backbone.base import Backbone

LAYERS = ('conv1', 'layer1', 'layer2', 'layer3', 'layer4', 'fc')


class ResNet(Backbone):
    """ResNet that stops as soon as the wanted layers are computed.

    Args:
        block: torchvision's `BasicBlock` or `Bottleneck`.
        blocks: number of blocks in layer1 .. layer4.
        output_layers: default outputs, of `conv1` (after batch norm and ReLU, before pooling), `layer1` .. `layer4`
            (strides 4, 8, 16, 32) and `fc`.
        widths: planes of layer1 .. layer4.
        stem: channels of the first convolution, `widths[0]` by default.
        num_classes: outputs of `fc`; 0 leaves it out.
        frozen_layers: see `Backbone`.
    """

    def __init__(self, block: type[BasicBlock | Bottleneck], blocks: Sequence[int], output_layers: Sequence[str],
                 widths: Sequence[int] = (64, 128, 256, 512), stem: int | None = None, num_classes: int = 1000,
                 frozen_layers: str | Sequence[str] = ()) -> None:
        super().__init__(frozen_layers)
        self.output_layers = tuple(output_layers)
        inplanes = widths[0] if stem is None else stem
        self.conv1 = nn.Conv2d(3, inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for index, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            stage, inplanes = _stage(block, inplanes, width, count, stride=1 if index == 0 else 2)
            self.add_module(f'layer{index + 1}', stage)
        self.fc: nn.Linear | None = nn.Linear(inplanes, num_classes) if num_classes else None
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / fan_out))

    def forward(self, x: Tensor, output_layers: Sequence[str] | None = None) -> OrderedDict[str, Tensor]:
        """Features of `x` (N, 3, H, W), normalised as ImageNet; gradient flows.

        Returns:
            The wanted layers by name, in the order of computation.

        Raises:
            ValueError: a name that is no layer of this network.
        """
        wanted = set(self.output_layers if output_layers is None else output_layers)
        unknown = wanted - {name for name in LAYERS if getattr(self, name, None) is not None}
        if unknown:
            raise ValueError(f'this backbone has no layer {sorted(unknown)}')
        outputs: OrderedDict[str, Tensor] = OrderedDict()
        # Channels last is what convolutions and pooling are fastest in, on the CPU and on tensor cores.
        x = x.contiguous(memory_format=torch.channels_last)
        for name in LAYERS:
            if len(outputs) == len(wanted):
                break
            x = self._step(name, x)
            if name in wanted:
                outputs[name] = x
        return outputs

    def _step(self, name: str, x: Tensor) -> Tensor:
        if name == 'conv1':
            return self.relu(self.bn1(self.conv1(x)))
        if name == 'layer1':
            x = self.maxpool(x)
        if name == 'fc':
            assert self.fc is not None
            return self.fc(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))
        return getattr(self, name)(x)


def _stage(block: type[BasicBlock | Bottleneck], inplanes: int, planes: int, count: int,
           stride: int) -> tuple[nn.Sequential, int]:
    """One resolution level and the number of its output channels."""
    channels = planes * block.expansion
    downsample = None
    if stride != 1 or inplanes != channels:
        downsample = nn.Sequential(nn.Conv2d(inplanes, channels, kernel_size=1, stride=stride, bias=False),
                                   nn.BatchNorm2d(channels))
    first = block(inplanes, planes, stride, downsample)
    return nn.Sequential(first, *(block(channels, planes) for _ in range(count - 1))), channels


def _load_imagenet(net: ResNet, name: str) -> ResNet:
    weights = torchvision.models.get_model_weights(name)['IMAGENET1K_V1']
    try:
        net.load_state_dict(weights.get_state_dict(progress=True))
    except OSError as error:
        raise UserError(f'ImageNet weights of {name} could not be fetched ({error}): '
                        'connect once, or name a file with --init') from error
    return net


def resnet18(output_layers: Sequence[str] = ('layer2', 'layer3'), pretrained: bool = False,
             frozen_layers: str | Sequence[str] = ()) -> ResNet:
    """ResNet-18: 128 and 256 channels at layer2 and layer3. `pretrained` = torchvision's ImageNet V1 weights."""
    net = ResNet(BasicBlock, (2, 2, 2, 2), output_layers, frozen_layers=frozen_layers)
    return _load_imagenet(net, 'resnet18') if pretrained else net


def resnet50(output_layers: Sequence[str] = ('layer2', 'layer3'), pretrained: bool = False,
             frozen_layers: str | Sequence[str] = ()) -> ResNet:
    """ResNet-50: 512 and 1024 channels at layer2 and layer3. `pretrained` = torchvision's ImageNet V1 weights."""
    net = ResNet(Bottleneck, (3, 4, 6, 3), output_layers, frozen_layers=frozen_layers)
    return _load_imagenet(net, 'resnet50') if pretrained else net


def resnet_small(output_layers: Sequence[str] = ('layer2', 'layer3'),
                 frozen_layers: str | Sequence[str] = ()) -> ResNet:
    """Three one-block stages of 32, 64 and 128 channels, no classifier: trains on a CPU in minutes."""
    return ResNet(BasicBlock, (1, 1, 1), output_layers, widths=(32, 64, 128), stem=16, num_classes=0,
                  frozen_layers=frozen_layers)
