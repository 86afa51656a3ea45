"""Networks of KYS: DiMP's, with a response predictor that knows the scene.

Reference: Bhat et al., "Know Your Surroundings: Exploiting Scene Information for Object Tracking", ECCV 2020.

Legend: n frames, q sequences, C channels, H x W feature cells, H' x W' score cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ltr.admin.model_constructor import model_constructor
from ltr.data.labels import gaussian_label_function
from ltr.models.kys.response import Response, ResponsePredictor, Scene
from ltr.models.tracking.dimpnet import dimpnet18, dimpnet50, dimpnet_small
from ltr.models.tracking.network import DiMPnet

STRIDE = 16  # px of the crop a feature cell


class KYSnet(DiMPnet):
    """DiMP with scene information. Its own weights are those of `response_predictor`; the rest is a DiMP's.

    Args:
        dimp: gives its parts.
        response_predictor: see there.
        label_sigma: spread of the label that states begin with, relative to the feature map.
    """

    def __init__(self, dimp: DiMPnet, response_predictor: ResponsePredictor, label_sigma: float) -> None:
        super().__init__(dimp.feature_extractor, dimp.classifier, dimp.bb_regressor, dimp.classification_layer,
                         dimp.bb_regressor_layer)
        self.response_predictor = response_predictor
        self.label_sigma = label_sigma

    def forward(self, train_imgs: Tensor, test_imgs: Tensor, train_bb: Tensor, test_bb: Tensor,  # type: ignore[override]
                disturb: Callable[[Tensor], Tensor] | None = None) -> Response:
        """Responses in consecutive frames; the target's place is told in the first of them only.

        Args:
            train_imgs: (n, q, 3, H, W) reference frames, normalised.
            test_imgs: (n_test, q, 3, H, W) consecutive frames.
            train_bb: (n, q, 4) `xywh`, crop px.
            test_bb: (n_test, q, 4); only that of the first frame is read.
            disturb: what is done to DiMP's scores (q, H', W') of a frame before they are used; nothing by default.

        Returns:
            Maps (n_test - 1, q, H', W') of all frames but the first; gradient flows to the response predictor alone,
            through time.
        """
        with torch.no_grad():
            weights = self._filter(train_imgs, train_bb)
        steps: list[Response] = []
        scene: Scene | None = None
        for images in test_imgs:
            with torch.no_grad():
                features = self.extract_classification_feat(self.extract_backbone_features(images))
                appearance = self.classifier.classify(weights, features[None])[0]
            if scene is None:
                scene = self.start(features, test_bb[0])
            else:
                appearance = appearance if disturb is None else disturb(appearance)
                response, scene = self.step(scene, features, appearance)
                steps.append(response)
        return Response(*(torch.stack(maps) for maps in zip(*steps, strict=True)))

    def start(self, features: Tensor, boxes: Tensor) -> Scene:
        """The scene of a first frame.

        Args:
            features: (q, C, H, W) classification features.
            boxes: (q, 4) `xywh`, crop px.
        """
        height, width = features.shape[-2:]
        label = gaussian_label_function(boxes.cpu(), self.label_sigma, self.classifier.filter_size, (width, height),
                                        (STRIDE * width, STRIDE * height))
        return self.response_predictor.start(label.to(features), self._on_score_cells(features))

    def step(self, scene: Scene, features: Tensor, appearance: Tensor) -> tuple[Response, Scene]:
        """One frame: (q, C, H, W) classification features, (q, H', W') scores; see `ResponsePredictor`."""
        return self.response_predictor(scene, self._on_score_cells(features), appearance)

    def _filter(self, images: Tensor, boxes: Tensor) -> Tensor:
        """DiMP's filter (q, C, k, k) from the reference frames."""
        backbone = self.extract_backbone_features(images.flatten(0, 1))
        features = self.classifier.extract_classification_feat(self.get_backbone_clf_feat(backbone), boxes.shape[1])
        weights, _, _ = self.classifier.get_filter(features, boxes, compute_losses=False)
        return weights

    def _on_score_cells(self, features: Tensor) -> Tensor:
        """Scores of an even filter lie at the corners of feature cells: there, the mean of the cells around counts."""
        if self.classifier.filter_size % 2:
            return features
        return functional.avg_pool2d(features, kernel_size=2, stride=1, padding=1)


@model_constructor
def kysnet18(backbone_pretrained: bool = True, label_sigma: float = 0.05, predictor: Mapping[str, Any] | None = None,
             **dimp: Any) -> KYSnet:
    """KYS on `dimpnet18`, whose arguments are `dimp`; `predictor` holds those of `ResponsePredictor`."""
    return KYSnet(dimpnet18(backbone_pretrained=backbone_pretrained, **dimp), ResponsePredictor(**(predictor or {})),
                  label_sigma)


@model_constructor
def kysnet50(backbone_pretrained: bool = True, label_sigma: float = 0.05, predictor: Mapping[str, Any] | None = None,
             **dimp: Any) -> KYSnet:
    """KYS on `dimpnet50`, whose arguments are `dimp`; `predictor` holds those of `ResponsePredictor`."""
    return KYSnet(dimpnet50(backbone_pretrained=backbone_pretrained, **dimp), ResponsePredictor(**(predictor or {})),
                  label_sigma)


@model_constructor
def kysnet_small(backbone_pretrained: bool = False, label_sigma: float = 0.1,
                 predictor: Mapping[str, Any] | None = None, **dimp: Any) -> KYSnet:
    """KYS on `dimpnet_small`, for 144 px crops; arguments as in `kysnet18`. No pretrained weights."""
    sizes = {'max_displacement': 4, 'match_dim': 4, **(predictor or {})}
    return KYSnet(dimpnet_small(backbone_pretrained=backbone_pretrained, **dimp), ResponsePredictor(**sizes),
                  label_sigma)
