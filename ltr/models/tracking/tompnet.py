"""The network of ToMP and its constructors.

Reference: Mayer et al., "Transforming Model Prediction for Tracking", CVPR 2022. Written from the paper; the names of
its weights are this toolkit's own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from ltr.admin.model_constructor import model_constructor
from ltr.models.backbone.resnet import resnet18, resnet50, resnet_small
from ltr.models.bbreg.dense_box import DenseBoxRegressor
from ltr.models.target_classifier.features import residual_basic_block, residual_bottleneck
from ltr.models.transformer.target_model import ToMPHead
from ltr.models.transformer.transformer import Transformer

LABEL_SIGMA = 1 / 4 / 5
"""Spread of the label: a quarter of the target's side where the crop has five of them."""


class ToMPnet(nn.Module):
    """Backbone and head.

    Args:
        feature_extractor: `forward(images, layers) -> {layer: features}`.
        head: see `ToMPHead`.
        layer: of the backbone, stride 16.
    """

    def __init__(self, feature_extractor: nn.Module, head: ToMPHead, layer: str = 'layer3') -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.head = head
        self.layer = layer

    def forward(self, train_imgs: Tensor, test_imgs: Tensor, train_bb: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and boxes of the test frames; each is predicted from all reference frames of its sequence.

        Args:
            train_imgs: (n, q, 3, H, W) reference frames, normalised.
            test_imgs: (n_test, q, 3, H, W).
            train_bb: (n, q, 4) `xywh`, crop px.

        Returns:
            Scores (n_test, q, H', W') and a box a cell (n_test, q, H', W', 4) `xywh`, crop px.
        """
        frames, q = test_imgs.shape[:2]
        reference = self.encode_reference(self.extract_backbone_features(train_imgs.flatten(0, 1)),
                                          train_bb.flatten(0, 1)).unflatten(0, (-1, q))
        test = self.encode_test(self.extract_backbone_features(test_imgs.flatten(0, 1)))
        # Every test frame is a sequence of its own, with the reference frames of the one that it is of.
        found = self.head.predict(reference.repeat(1, frames, 1, 1, 1), test, self.head.query(frames * q))
        return found.scores.unflatten(0, (frames, q)), found.boxes.unflatten(0, (frames, q))

    def extract_backbone_features(self, im: Tensor, layers: Sequence[str] | None = None) -> OrderedDict[str, Tensor]:
        """Backbone features of (N, 3, H, W) by layer name."""
        return self.feature_extractor(im, [self.layer] if layers is None else layers)

    def extract_head_feat(self, backbone_feat: Mapping[str, Tensor]) -> Tensor:
        """The head's features (N, C, H', W') of `backbone_feat`."""
        return self.head.features(backbone_feat[self.layer])

    def encode_reference(self, backbone_feat: Mapping[str, Tensor], boxes: Tensor) -> Tensor:
        """Features of reference frames with the state of the target, boxes `xywh` (N, 4), crop px: (N, C, H', W')."""
        return self.head.encode_reference(self.extract_head_feat(backbone_feat), boxes)

    def encode_test(self, backbone_feat: Mapping[str, Tensor]) -> Tensor:
        """Features of test frames with their mark, (N, C, H', W')."""
        return self.head.encode_test(self.extract_head_feat(backbone_feat))


def _head(features: nn.Module, channels: int, heads: int, encoder_layers: int, decoder_layers: int, feedforward: int,
          dropout: float, tower_layers: int, label_sigma: float) -> ToMPHead:
    transformer = Transformer(channels, heads, encoder_layers, decoder_layers, feedforward, dropout)
    return ToMPHead(features, transformer, DenseBoxRegressor(channels, tower_layers), channels, label_sigma)


@model_constructor
def tompnet50(channels: int = 256, heads: int = 8, encoder_layers: int = 6, decoder_layers: int = 6,
              feedforward: int = 2048, dropout: float = 0.1, tower_layers: int = 4, label_sigma: float = LABEL_SIGMA,
              backbone_pretrained: bool = True, frozen_backbone_layers: str | Sequence[str] = ()) -> ToMPnet:
    """ToMP on ResNet-50. Arguments as in `Transformer`, `DenseBoxRegressor` and `ToMPHead`."""
    # Without a scale: features, embeddings and encodings of places are of one order of magnitude.
    features = residual_bottleneck(256, 0, out_dim=channels)
    head = _head(features, channels, heads, encoder_layers, decoder_layers, feedforward, dropout, tower_layers,
                 label_sigma)
    return ToMPnet(resnet50(pretrained=backbone_pretrained, frozen_layers=frozen_backbone_layers), head)


@model_constructor
def tompnet18(channels: int = 256, heads: int = 8, encoder_layers: int = 6, decoder_layers: int = 6,
              feedforward: int = 2048, dropout: float = 0.1, tower_layers: int = 4, label_sigma: float = LABEL_SIGMA,
              backbone_pretrained: bool = True, frozen_backbone_layers: str | Sequence[str] = ()) -> ToMPnet:
    """ToMP on ResNet-18. Arguments as in `tompnet50`."""
    features = residual_basic_block(256, 0, out_dim=channels)
    head = _head(features, channels, heads, encoder_layers, decoder_layers, feedforward, dropout, tower_layers,
                 label_sigma)
    return ToMPnet(resnet18(pretrained=backbone_pretrained, frozen_layers=frozen_backbone_layers), head)


@model_constructor
def tompnet_small(channels: int = 64, heads: int = 4, encoder_layers: int = 2, decoder_layers: int = 2,
                  feedforward: int = 128, dropout: float = 0.0, tower_layers: int = 2, label_sigma: float = 0.1,
                  backbone_pretrained: bool = False) -> ToMPnet:
    """ToMP of about half a million weights for 144 px crops, for tests and trials. No pretrained weights."""
    if backbone_pretrained:
        raise ValueError('tompnet_small has no pretrained backbone')
    features = residual_basic_block(128, 0, out_dim=channels)
    head = _head(features, channels, heads, encoder_layers, decoder_layers, feedforward, dropout, tower_layers,
                 label_sigma)
    return ToMPnet(resnet_small(), head)
