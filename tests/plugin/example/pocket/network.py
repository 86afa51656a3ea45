"""The network: a backbone, a reference branch that makes a vector of the target, a test branch that makes a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ltr.admin.model_constructor import model_constructor

CROP, STRIDE = 128, 8
LAYER = 'layer3'


class Backbone(nn.Module):
    """Three convolutions to an eighth of the image."""

    def __init__(self, width: int) -> None:
        super().__init__()
        sides = [3, width // 2, width, width]
        self.stages = nn.Sequential(*(
            nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())
            for before, after in pairwise(sides)))

    def forward(self, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Features (N, C, H / 8, W / 8) of (N, 3, H, W), by the name of the layer."""
        return {layer: self.stages(images) for layer in layers}


class PocketNet(nn.Module):
    """Backbone and the two branches; what distillation asks for is in docs/adding_a_tracker.md."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.feature_extractor = Backbone(width)
        self.reference = nn.Conv2d(width, width, 1)
        self.test = nn.Conv2d(width, width, 1)

    def extract_backbone_features(self, im: Tensor, layers: Sequence[str] = (LAYER,)) -> dict[str, Tensor]:
        """Backbone features of normalised images (N, 3, H, W)."""
        return self.feature_extractor(im, layers)

    def target(self, feat: Mapping[str, Tensor], boxes: Tensor) -> Tensor:
        """Vector of the target, (N, C): the mean of the reference map over the cells of its `xywh` box, crop px."""
        maps = self.reference(feat[LAYER])
        cells = [STRIDE * (torch.arange(size, device=maps.device) + 0.5) for size in maps.shape[-2:]]
        centre = boxes[:, :2] + boxes[:, 2:] / 2
        reach = (boxes[:, 2:] / 2).clamp(min=STRIDE / 2)
        near = [(cells[axis] - centre[:, 1 - axis, None]).abs() <= reach[:, 1 - axis, None] for axis in (0, 1)]
        inside = (near[0][:, :, None] & near[1][:, None]).to(maps.dtype)
        return torch.einsum('nhw,nchw->nc', inside, maps) / inside.sum((1, 2))[:, None].clamp(min=1)

    def search(self, feat: Mapping[str, Tensor]) -> Tensor:
        """Map that is searched, (N, C, H', W')."""
        return self.test(feat[LAYER])

    def scores(self, target: Tensor, searched: Tensor) -> Tensor:
        """Score maps (N, H', W') of vectors (N, C) and maps (N, C, H', W')."""
        return torch.einsum('nc,nchw->nhw', target, searched) / target.shape[1] ** 0.5


@model_constructor
def pocketnet(width: int = 16) -> PocketNet:
    """The constructor, which checkpoints name."""
    return PocketNet(width)
