"""The parts that a network is exported in: tensors in, tensors out.

A tracker runs `features` on every crop; `modulation` once, on the first frame's features and box; `iou_features` on
every frame; and `iou_predictor` on the frame's boxes. 3 and 4 in names are those of the IoU predictor's modules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cmd_plugin.errors import UserError

IMAGE, BATCH, BOXES = 'image', 'batch', 'boxes'


class _Call(nn.Module):
    """A function of a network as a module, which is what exporters take."""

    def __init__(self, net: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.net = net
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self.net, *inputs)


@dataclass(frozen=True)
class Part:
    """One exported file.

    Attributes:
        name: of the file.
        about: one line.
        module: computes the outputs, a tuple, from the inputs.
        inputs, outputs: names of its tensors, in order.
        example: inputs to trace with; the first axis of each is the batch, the second of `boxes` the number of boxes.
    """

    name: str
    about: str
    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    example: tuple[Tensor, ...]

    def axes(self, name: str) -> dict[int, str]:
        """Axes of a tensor that may have any length."""
        return {0: BATCH, 1: BOXES} if name == BOXES or name == 'iou' else {0: BATCH}


def parts_of(net: Any, crop_size: int, batch: int = 2, boxes: int = 3) -> list[Part]:
    """The parts of a network of the DiMP or ATOM families.

    Args:
        net: the network; it is put into evaluation mode, and moved nowhere.
        crop_size: side of its crops, px.
        batch, boxes: lengths of the example's free axes.

    Raises:
        UserError: a network without the usual backbone and IoU predictor.
    """
    if not (hasattr(net, 'extract_backbone_features') and hasattr(getattr(net, 'bb_regressor', None), 'predict_iou')):
        raise UserError(f'{type(net).__name__} cannot be exported: it lacks '
                        'the backbone or the IoU predictor of DiMP and ATOM')
    net = net.eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(batch, 3, crop_size, crop_size, generator=generator)
    target = crop_size * (torch.tensor([0.4, 0.4, 0.2, 0.2]) + 0.05 * torch.rand(batch, boxes, 4, generator=generator))
    layers = tuple(net.bb_regressor_layer)
    with torch.no_grad():
        outputs = _features(net, image)
        backbone = outputs[:len(layers)]
        modulation, iou = _modulation(net, *backbone, target[:, 0]), _iou_features(net, *backbone)
    codes, maps = ('modulation3', 'modulation4'), ('iou_features3', 'iou_features4')
    features = (*layers, *(['classification'] if len(outputs) > len(layers) else []))
    listed: Sequence[tuple[Any, ...]] = (
        ('features', 'backbone' + (' and classification features' if 'classification' in features else ''),
         _features, (IMAGE,), features, (image,)),
        ('modulation', 'IoU predictor, reference branch: modulation vectors of the target box', _modulation,
         (*layers, 'box'), codes, (*backbone, target[:, 0])),
        ('iou_features', 'IoU predictor, test branch: features of a frame', _iou_features, layers, maps, backbone),
        ('iou_predictor', 'predicted 2 IoU - 1 of boxes', _iou, (*codes, *maps, BOXES), ('iou',),
         (*modulation, *iou, target)))
    return [Part(name, about, _Call(net, function).eval(), tuple(inputs), tuple(names), tuple(example))
            for name, about, function, inputs, names, example in listed]


def _features(net: Any, image: Tensor) -> tuple[Tensor, ...]:
    found = net.extract_backbone_features(image)
    backbone = tuple(net.get_backbone_bbreg_feat(found))
    return (*backbone, net.extract_classification_feat(found)) if hasattr(net, 'classifier') else backbone


def _modulation(net: Any, *inputs: Tensor) -> tuple[Tensor, ...]:
    return tuple(net.bb_regressor.get_modulation(inputs[:-1], inputs[-1]))


def _iou_features(net: Any, *backbone: Tensor) -> tuple[Tensor, ...]:
    return tuple(net.bb_regressor.get_iou_feat(backbone))


def _iou(net: Any, code3: Tensor, code4: Tensor, map3: Tensor, map4: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
    return (net.bb_regressor.predict_iou([code3, code4], [map3, map4], boxes),)
