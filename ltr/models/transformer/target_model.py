"""The model predictor of ToMP: target states become tokens, and a transformer reads the target model off them.

Reference: Mayer et al., "Transforming Model Prediction for Tracking", CVPR 2022.

Legend: n reference frames, q sequences with one test frame each, C channels, H x W cells.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ltr.data.labels import gaussian_label_function
from ltr.models.bbreg.dense_box import DenseBoxRegressor
from ltr.models.bbreg.ltrb import STRIDE, boxes_of, ltrb_of
from ltr.models.layers.filter import apply_filter
from ltr.models.transformer.position import sine_encoding
from ltr.models.transformer.transformer import Transformer


class Prediction(NamedTuple):
    """What the head makes of the test frames.

    Attributes:
        scores: (q, H, W), about 1 at the target's centre.
        ltrb: (q, 4, H, W) distances to the box's sides, over the crop's sides.
        classifier, regressor: (q, C), the filters that were predicted.
    """

    scores: Tensor
    ltrb: Tensor
    classifier: Tensor
    regressor: Tensor

    @property
    def boxes(self) -> Tensor:
        """The box that every cell tells, (q, H, W, 4) `xywh`, crop px."""
        return boxes_of(self.ltrb)


class ToMPHead(nn.Module):
    """Everything of ToMP behind the backbone (ToMP, Sec. 3.2 and 3.3).

    Args:
        features: from backbone maps to C channels.
        transformer: the model predictor; it also encodes the test features.
        regressor: of boxes.
        channels: C.
        label_sigma: spread of the Gaussian around the target's centre, relative to the feature map.
    """

    def __init__(self, features: nn.Module, transformer: Transformer, regressor: DenseBoxRegressor, channels: int,
                 label_sigma: float) -> None:
        super().__init__()
        self.features = features
        self.foreground = nn.Embedding(1, channels)
        self.test_embedding = nn.Embedding(1, channels)
        self.box_encoder = nn.Sequential(nn.Linear(4, channels // 4), nn.ReLU(inplace=True),
                                         nn.Linear(channels // 4, channels), nn.ReLU(inplace=True),
                                         nn.Linear(channels, channels))
        self.transformer = transformer
        self.filters = nn.Linear(channels, 2 * channels)
        # Encoded features have norm sqrt(C), and so has the decoded query: scores begin with deviation 0.1.
        nn.init.normal_(self.filters.weight, 0.0, 0.1 / channels)
        nn.init.zeros_(self.filters.bias)
        self.regressor = regressor
        self.label_sigma = label_sigma

    def label(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """Gaussian of peak 1 around the centres of boxes `xywh` (..., 4), crop px, at the cells: (..., H, W)."""
        rows, columns = size
        return gaussian_label_function(boxes, self.label_sigma, 1, (columns, rows),
                                       (columns * STRIDE, rows * STRIDE))

    def encode_reference(self, feat: Tensor, boxes: Tensor) -> Tensor:
        """Features with the target's state added: x + y e_fg + phi(d) (ToMP, Sec. 3.3).

        Args:
            feat: (N, C, H, W), of `features`.
            boxes: (N, 4) `xywh`, crop px.

        Returns:
            (N, C, H, W); gradient flows.
        """
        size = (feat.shape[-2], feat.shape[-1])
        centre = self.label(boxes, size)[:, None] * self.foreground.weight[..., None, None]
        extent = self.box_encoder(ltrb_of(boxes, size).movedim(1, -1)).movedim(-1, 1)
        return feat + centre + extent

    def encode_test(self, feat: Tensor) -> Tensor:
        """Features (N, C, H, W) with the mark of a test frame added (ToMP, Sec. 3.2)."""
        return feat + self.test_embedding.weight[..., None, None]

    def query(self, sequences: int) -> Tensor:
        """What the decoder asks with, (q, C): the foreground's embedding."""
        return self.foreground.weight.expand(sequences, -1)

    def predict(self, reference: Tensor, test: Tensor, query: Tensor) -> Prediction:
        """Target model, and its scores and boxes on the test frames.

        Args:
            reference: (n, q, C, H, W), of `encode_reference`.
            test: (q, C, H, W), of `encode_test`.
            query: (q, C).

        Returns:
            See `Prediction`; gradient flows to everything.
        """
        frames, q, channels, rows, columns = reference.shape
        tokens = torch.cat((reference, test[None])).permute(1, 0, 3, 4, 2).reshape(q, -1, channels)
        position = sine_encoding((rows, columns), channels, tokens).repeat(frames + 1, 1)
        encoded, decoded = self.transformer(tokens, query[:, None], position)
        feat = encoded[:, frames * rows * columns:].movedim(1, -1).reshape(q, channels, rows, columns)
        classifier, regressor = self.filters(decoded[:, 0]).chunk(2, dim=-1)
        scores = apply_filter(feat[None], classifier[..., None, None])[0]
        return Prediction(scores, self.regressor(feat, regressor), classifier, regressor)
