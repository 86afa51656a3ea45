"""The DiMP tracker.

Reference: Bhat et al., "Learning Discriminative Model Prediction for Tracking", ICCV 2019; localisation and box
refinement as in Danelljan et al., "ATOM", CVPR 2019. Positions and sizes are numpy pairs (y, x) in image px.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from pytracking.features.preprocessing import sample_patch
from pytracking.tracker.base.basetracker import BaseTracker
from pytracking.tracker.dimp import first_frame
from pytracking.tracker.dimp.geometry import Sample
from pytracking.tracker.dimp.localization import Peak, hann2d, localize
from pytracking.tracker.dimp.memory import SampleMemory
from pytracking.tracker.dimp.refinement import ascend, best_box, start_boxes
from pytracking.utils.params import TrackerParams

NOT_IMPLEMENTED = ('score_preprocess', 'score_filter_ksz', 'filter_init_zero', 'softmax_reg', 'label_threshold',
                   'label_shrink', 'filter_reg')
"""Parameters of related trackers that would change the result: refused, not ignored."""


class DiMP(BaseTracker):
    """DiMP with online model updates.

    Args:
        params: see `pytracking.parameter.dimp`; `params.net` is a `NetWithBackbone`, `params.seed` seeds the
            augmentations and random start boxes (0 by default).
    """

    def __init__(self, params: TrackerParams) -> None:
        super().__init__(params)
        ignored = [name for name in NOT_IMPLEMENTED if params.get(name, None) not in (None, False, 'none')]
        if ignored:
            raise UserError(f'the tracker dimp does not know the parameters {", ".join(ignored)}: remove them from the '
                            'parameter file')
        self.net = params.net
        self.rng = np.random.default_rng(params.get('seed', 0))

    def _uniform(self, *shape: int) -> np.ndarray:
        return self.rng.random(shape)

    @torch.no_grad()
    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """Learn the target: `info['init_bbox']` is its box in `image`, `xywh`, image px."""
        params = self.params
        self.net.initialize()
        self.frame_num = 1
        x, y, w, h = (float(value) for value in info['init_bbox'])
        self.pos = np.array([y + (h - 1) / 2, x + (w - 1) / 2])
        self.target_sz = np.array([h, w])
        self.image_sz = np.array(image.shape[:2], dtype=float)
        self.sample_sz = self._crop_size()
        search_area = np.prod(self.target_sz * params.search_area_scale)
        self.target_scale = float(np.sqrt(search_area) / np.sqrt(np.prod(self.sample_sz)))
        self.base_target_sz = self.target_sz / self.target_scale
        self.refined_pos: np.ndarray | None = None
        self._learn_first_frame(image)
        return {}

    def _crop_size(self) -> np.ndarray:
        size = np.broadcast_to(np.asarray(self.params.image_sample_size, dtype=float), (2,)).copy()
        if self.params.get('use_image_aspect_ratio', False):
            size = self.image_sz * np.sqrt(np.prod(size) / np.prod(self.image_sz))
            stride = self.params.get('feature_stride', 32)
            size = np.round(size / stride) * stride
        return size

    def _learn_first_frame(self, image: np.ndarray) -> None:
        params, net = self.params, self.net
        crops, augmentations, sample = first_frame.samples_of(
            image, self.pos, self.target_scale, self.sample_sz, params, self._uniform, net.device)
        backbone = net.extract_backbone(crops)
        plain = sample.box_of(self.pos, self.target_sz)
        boxes = first_frame.sample_boxes(plain, augmentations)
        features = net.extract_classification_feat(backbone)
        self.feature_sz = np.array(features.shape[-2:])
        if params.get('use_augmentation', True) and 'dropout' in params.augmentation:
            copies = first_frame.dropout_copies(features[:1], params.augmentation, self._uniform)
            features = torch.cat((features, copies))
            boxes = np.concatenate((boxes, np.repeat(boxes[:1], len(copies), axis=0)))
        box_tensor = self._tensor(boxes)
        if params.get('use_iou_net', True):
            modulated_box = self._tensor(np.concatenate((plain[None], boxes[1:])))
            self.modulation = first_frame.modulation_of(net, backbone, modulated_box, augmentations, params)
        self.filter, _, _ = net.classifier.get_filter(features[:, None], box_tensor[:, None], compute_losses=False,
                                                      num_iter=params.get('net_opt_iter', None))
        self.kernel_sz = np.array(self.filter.shape[-2:])
        score_sz = self.feature_sz + (self.kernel_sz + 1) % 2
        windowed = params.get('window_output', False) and params.get('perform_hn_without_windowing', False)
        self.window = hann2d((int(score_sz[0]), int(score_sz[1]))) if windowed else None
        if params.get('update_classifier', False):
            self.memory = SampleMemory(features, box_tensor, params.sample_memory_size,
                                       params.get('init_samples_minimum_weight', None))

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=self.net.device)

    @torch.no_grad()
    def track(self, image: np.ndarray, info: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find the target in the next frame.

        Returns:
            `target_bbox` (`xywh`, image px), `confidence` (the score peak) and `flag` (see `Peak`).
        """
        self.frame_num += 1
        backbone, samples = self._extract(image)
        features = self.net.extract_classification_feat(backbone)
        scores = self._scores(features)
        peak = self._localize(scores, samples)
        if peak.flag != 'not_found':
            self._move(peak, samples[peak.scale_index], backbone)
        if peak.flag not in ('not_found', 'uncertain') and self.params.get('update_classifier', False):
            self._update(peak, samples[peak.scale_index], features[peak.scale_index:peak.scale_index + 1])
        # As stock: a frame without a usable refined box falls back to the last refined position.
        if self.refined_pos is not None and peak.flag != 'not_found':
            self.pos = self.refined_pos.copy()
        return {'target_bbox': self._output(peak), 'confidence': peak.score, 'flag': peak.flag}

    def _extract(self, image: np.ndarray) -> tuple[OrderedDict[str, Tensor], list[Sample]]:
        """Backbone features of the search region at every scale, and the regions."""
        params = self.params
        offset = (self.feature_sz + self.kernel_sz) % 2 * self.target_scale * self.sample_sz / (2 * self.feature_sz)
        patches, samples = [], []
        for factor in np.atleast_1d(params.get('scale_factors', 1.0)):
            patch, coords = sample_patch(image, self.pos + offset, self.target_scale * factor * self.sample_sz,
                                         self.sample_sz, params.get('border_mode', 'replicate'),
                                         params.get('patch_max_scale_change', None), self.net.device)
            patches.append(patch)
            samples.append(Sample.of_corners(coords, self.sample_sz))
        return self.net.extract_backbone(torch.cat(patches)), samples

    def _scores(self, features: Tensor) -> np.ndarray:
        """Score maps (scales, H', W') of classification features (scales, C, H, W)."""
        scores = self.net.classifier.classify(self.filter, features[:, None])[:, 0]
        return scores.cpu().numpy()

    def _localize(self, scores: np.ndarray, samples: list[Sample]) -> Peak:
        cell = self.sample_sz / self.feature_sz
        pixels = [sample.scale * cell for sample in samples]
        neighbourhood = np.stack([self.params.get('target_neighborhood_scale', 2.2) * self.target_sz / size
                                  for size in pixels])
        previous = np.stack([(self.pos - sample.pos) / size for sample, size in zip(samples, pixels, strict=True)])
        scales = np.array([sample.scale for sample in samples])
        return localize(scores, cell, scales, neighbourhood, previous, self.params, self.window)

    def _move(self, peak: Peak, sample: Sample, backbone: OrderedDict[str, Tensor]) -> None:
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
        self._refine(sample, peak.scale_index, backbone, keep_scale)

    def _refine(self, sample: Sample, index: int, backbone: OrderedDict[str, Tensor], keep_scale: bool) -> None:
        """Box refinement by predicted IoU; changes nothing when no sensible box is found."""
        features = [f[index:index + 1] for f in self.net.get_backbone_bbreg_feat(backbone)]
        iou_features = self.net.bb_regressor.get_iou_feat(features)

        def predict(boxes: Tensor) -> Tensor:
            return self.net.bb_regressor.predict_iou(self.modulation, iou_features, boxes[None])[0]

        start = start_boxes(sample.box_of(self.pos, self.target_sz), self.params, lambda n: self._uniform(n, 4))
        boxes, iou = ascend(predict, self._tensor(start), self.params)
        box = best_box(boxes.cpu().numpy().astype(float), iou.cpu().numpy(), self.params)
        if box is None:
            return
        position, size = sample.target_of(box)
        self.refined_pos = position.copy()
        if self.params.get('use_iounet_pos_for_learning', True):
            self.pos = position.copy()
        self.target_sz = size
        if not keep_scale:
            self.target_scale = float(np.sqrt(np.prod(size) / np.prod(self.base_target_sz)))

    def _update(self, peak: Peak, sample: Sample, features: Tensor) -> None:
        """Store this frame and, when its turn has come, optimise the filter on the memory."""
        params = self.params
        hard_negative = peak.flag == 'hard_negative'
        rate = params.hard_negative_learning_rate if hard_negative else params.learning_rate
        if hard_negative or self.frame_num % params.get('train_sample_interval', 1) == 0:
            self.memory.insert(features, self._tensor(sample.box_of(self.pos, self.target_sz)), rate)
        steps = self._steps(peak, hard_negative)
        if steps > 0:
            feat, boxes, weights = self.memory.samples()
            self.filter, _, _ = self.net.classifier.filter_optimizer(
                self.filter, num_iter=steps, feat=feat, bb=boxes, sample_weight=weights, compute_losses=False)

    def _steps(self, peak: Peak, hard_negative: bool) -> int:
        params = self.params
        if hard_negative:
            return params.get('net_opt_hn_iter', None) or 0
        low = params.get('low_score_opt_threshold', None)
        if low is not None and peak.score < low:
            return params.get('net_opt_low_iter', None) or 0
        if (self.frame_num - 1) % params.train_skipping == 0:
            return params.get('net_opt_update_iter', None) or 0
        return 0

    def _output(self, peak: Peak) -> list[float]:
        if peak.flag == 'not_found' and self.params.get('output_not_found_box', False):
            return [-1.0, -1.0, -1.0, -1.0]
        corner = self.pos - (self.target_sz - 1) / 2
        return [float(corner[1]), float(corner[0]), float(self.target_sz[1]), float(self.target_sz[0])]
