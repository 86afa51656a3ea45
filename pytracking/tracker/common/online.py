"""The skeleton of DiMP and ATOM: localise with a classifier that learns online, then refine the box by predicted IoU.

Reference: Danelljan et al., "ATOM: Accurate Tracking by Overlap Maximization", CVPR 2019; Bhat et al., "Learning
Discriminative Model Prediction for Tracking", ICCV 2019. Positions and sizes are numpy pairs (y, x) in image px.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from pytracking.features.host import to_device
from pytracking.features.preprocessing import sample_patch
from pytracking.tracker.base.basetracker import BaseTracker
from pytracking.tracker.base.steps import Request, Steps, finish, request
from pytracking.tracker.common.climber import Climb, Climber, climber_of
from pytracking.tracker.common.company import company
from pytracking.tracker.common.geometry import Sample
from pytracking.tracker.common.localization import Peak, blind
from pytracking.tracker.common.refinement import best_box, start_boxes
from pytracking.utils.params import TrackerParams

NEUTRAL = (None, False, 'none', 'replicate')  # values with which a parameter asks for nothing


class OnlineTracker(BaseTracker):
    """Target state, one frame's work and the box refinement; derived classes bring the classifier.

    Args:
        params: see `pytracking.parameter`; `params.net` is a `NetWithBackbone`, `params.seed` seeds everything random
            (0 by default).

    Raises:
        UserError: a parameter of a related tracker that would change the result and is not known here.
    """

    name: ClassVar[str]
    refused: ClassVar[tuple[str, ...]] = ()
    """Parameters of related trackers that would change the result: refused, not ignored."""
    own_steps: ClassVar[bool] = False
    """Whether boxes keep steps of their own during refinement, see `ascend`."""

    def __init__(self, params: TrackerParams) -> None:
        super().__init__(params)
        unknown = [name for name in self.refused if params.get(name, None) not in NEUTRAL]
        if unknown:
            raise UserError(f'the tracker {self.name} does not know the parameters {", ".join(unknown)}: remove them '
                            'from the parameter file')
        self.net = params.net
        self.rng = np.random.default_rng(params.get('seed', 0))

    @abstractmethod
    def _crop_size(self) -> tuple[np.ndarray, float]:
        """Side (y, x) of the crop, px, and image px a crop px."""

    @abstractmethod
    def _learn_first_frame(self, image: np.ndarray) -> None:
        """Classifier, memory and modulation vectors from the first frame."""

    @abstractmethod
    def _place(self, coords: np.ndarray, factor: float) -> Sample:
        """Sample of a crop with corners (y1, x1, y2, x2) that was cut `factor` times as large as usual."""

    @abstractmethod
    def _features(self, backbone: OrderedDict[str, Tensor]) -> Tensor:
        """What the classifier works on, (scales, C, H, W)."""

    @abstractmethod
    def _scores(self, features: Tensor) -> np.ndarray:
        """Score maps (scales, H', W')."""

    @abstractmethod
    def _localize(self, scores: np.ndarray, samples: list[Sample]) -> Peak:
        """Place of the target on the score maps."""

    @abstractmethod
    def _update(self, peak: Peak, sample: Sample, features: Tensor) -> None:
        """Learn from this frame; `features` (1, C, H, W) are those of the best scale."""

    @torch.no_grad()
    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """Learn the target: `info['init_bbox']` is its box in `image`, `xywh`, image px."""
        self.net.initialize()
        self.frame_num = 1
        x, y, w, h = (float(value) for value in info['init_bbox'])
        self.pos = np.array([y + (h - 1) / 2, x + (w - 1) / 2])
        self.target_sz = np.array([h, w])
        self.image_sz = np.array(image.shape[:2], dtype=float)
        self.refined_pos: np.ndarray | None = None
        self.modulation: list[Tensor] = []
        self.sample_sz, self.target_scale = self._crop_size()
        self.base_target_sz = self.target_sz / self.target_scale
        self._learn_first_frame(image)
        self.company = company(self)
        return {}

    def track(self, image: np.ndarray, info: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find the target in the next frame.

        Returns:
            `target_bbox` (`xywh`, image px), `confidence` (the score peak; NaN where scores are not finite, which are
            taken for a frame without the target), `flag` (see `Peak`), and what it was found in: `score_map` (H', W')
            and `search_area` (`xywh`, image px).
        """
        return finish(self.steps(image, info))

    def steps(self, image: np.ndarray, info: dict[str, Any] | None = None) -> Steps:
        """`track`, which asks for the network's work (see `pytracking.tracker.base.steps`)."""
        self.frame_num += 1
        crops, samples = self._crops(image)
        backbone = yield self._asked('_backbone', crops)
        features = yield self._asked('_features', backbone)
        scores = yield self._asked('_scores', features)
        peak = blind(scores) or self._localize(scores, samples)
        best = peak.scale_index
        if peak.flag != 'not_found':
            yield from self._move_steps(peak, samples[best], backbone)
        if self.params.get('update_classifier', False):
            self._update(peak, samples[best], features[best:best + 1])
        # As stock: a frame without a usable refined box falls back to the last refined position.
        if self.refined_pos is not None and peak.flag != 'not_found':
            self.pos = self.refined_pos.copy()
        return {'target_bbox': self._output(peak), 'confidence': peak.score, 'flag': peak.flag,
                'score_map': scores[best], 'search_area': samples[best].area}

    def _asked(self, method: str, inputs: Any) -> Request:
        """A method of this tracker as work that trackers with the same network, parameters and crops may share."""
        return request(self, method, inputs, self.company)

    def _extract(self, image: np.ndarray) -> tuple[OrderedDict[str, Tensor], list[Sample]]:
        """Backbone features of the search region at every scale, (scales, C, H, W) by layer, and the regions."""
        crops, samples = self._crops(image)
        return self._backbone(crops), samples

    def _crops(self, image: np.ndarray) -> tuple[Tensor, list[Sample]]:
        """Crops (scales, 3, *size) of 0..255 of the search region at every scale, and the regions."""
        params, window = self.params, self.target_scale * self.sample_sz
        factors = np.atleast_1d(params.get('scale_factors', 1.0))
        cut = [sample_patch(image, self._centre(), window * factor, self.sample_sz,
                            params.get('border_mode', 'replicate'), params.get('patch_max_scale_change', None),
                            self.net.device) for factor in factors]
        samples = [self._place(coords, float(factor)) for (_, coords), factor in zip(cut, factors, strict=True)]
        return torch.cat([patch for patch, _ in cut]), samples

    def _backbone(self, crops: Tensor) -> OrderedDict[str, Tensor]:
        return self.net.extract_backbone(crops)

    @staticmethod
    def _backbone_together(trackers: list[OnlineTracker], crops: list[Tensor]) -> list[OrderedDict[str, Tensor]]:
        return trackers[0].net.extract_backbones(crops)

    def _centre(self) -> np.ndarray:
        """Where the search region is cut."""
        return self.pos

    def _move_steps(self, peak: Peak, sample: Sample, backbone: OrderedDict[str, Tensor]) -> Steps:
        """New position, size and scale of the target."""
        params = self.params
        allowed = (params.get('target_inside_ratio', 0.2) - 0.5) * self.target_sz
        self.pos = np.clip(sample.pos + peak.translation, allowed, self.image_sz - allowed)
        if not params.get('use_iou_net', True):
            low = np.max(10 / self.base_target_sz)
            high = np.min(self.image_sz / self.base_target_sz)
            self.target_scale = float(min(max(sample.scale, low), high))
            self.target_sz = self.base_target_sz * self.target_scale
            return
        keep_scale = peak.flag == 'uncertain' and not params.get('update_scale_when_uncertain', True)
        yield from self._refine_steps(sample, peak.scale_index, backbone, keep_scale)

    def _refine_steps(self, sample: Sample, index: int, backbone: OrderedDict[str, Tensor], keep_scale: bool) -> Steps:
        """Box refinement by predicted IoU; changes nothing when no sensible box is found."""
        features = [f[index:index + 1] for f in self.net.get_backbone_bbreg_feat(backbone)]
        start = start_boxes(sample.box_of(self.pos, self.target_sz), self.params, lambda n: self._uniform(n, 4))
        refined = yield self._asked('_climb', (features, self.modulation, self._tensor(start)))
        box = best_box(refined[:, :4].astype(float), refined[:, 4], self.params)
        if box is None:
            return
        position, size = sample.target_of(box)
        self.refined_pos = position.copy()
        if self.params.get('use_iounet_pos_for_learning', True):
            self.pos = position.copy()
        self.target_sz = size
        if not keep_scale:
            self.target_scale = float(np.sqrt(np.prod(size) / np.prod(self.base_target_sz)))

    @cached_property
    def climber(self) -> Climber:
        """What refines boxes."""
        return climber_of(self.net, self.params, self.own_steps)

    def _climb(self, inputs: Climb) -> np.ndarray:
        """Refined boxes and their IoU, (P, 5)."""
        return self.climber.climb([inputs])[0]

    @staticmethod
    def _climb_together(trackers: list[OnlineTracker], inputs: list[Climb]) -> list[np.ndarray]:
        return trackers[0].climber.climb(inputs)

    def _learning_rate(self, peak: Peak) -> float:
        params = self.params
        return params.hard_negative_learning_rate if peak.flag == 'hard_negative' else params.learning_rate

    def _output(self, peak: Peak) -> list[float]:
        if peak.flag == 'not_found' and self.params.get('output_not_found_box', False):
            return [-1.0, -1.0, -1.0, -1.0]
        corner = self.pos - (self.target_sz - 1) / 2
        return [float(corner[1]), float(corner[0]), float(self.target_sz[1]), float(self.target_sz[0])]

    def _tensor(self, array: np.ndarray) -> Tensor:
        return to_device(np.asarray(array, dtype=np.float32), self.net.device)

    def _uniform(self, *shape: int) -> np.ndarray:
        return self.rng.random(shape)
