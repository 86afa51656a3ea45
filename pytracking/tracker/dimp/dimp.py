"""The DiMP tracker; with other parameters and networks PrDiMP and SuperDiMP.

Reference: Bhat et al., "Learning Discriminative Model Prediction for Tracking", ICCV 2019; Danelljan et al.,
"Probabilistic Regression for Visual Tracking", CVPR 2020. Positions and sizes are numpy pairs (y, x) in image px.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from torch import Tensor

from pytracking.features.host import to_host
from pytracking.tracker.base.steps import together
from pytracking.tracker.common import first_frame
from pytracking.tracker.common.geometry import Sample
from pytracking.tracker.common.localization import Peak, hann2d, localize
from pytracking.tracker.common.memory import SampleMemory
from pytracking.tracker.common.online import OnlineTracker
from pytracking.tracker.dimp.descent import initial_filter, tracking_optimizer
from pytracking.tracker.dimp.scores import check, preprocess
from pytracking.utils.params import TrackerParams


class DiMP(OnlineTracker):
    """DiMP with online model updates.

    Args:
        params: see `pytracking.parameter.dimp` and `OnlineTracker`.

    Raises:
        UserError: parameters that are not understood.
    """

    name = 'dimp'

    def __init__(self, params: TrackerParams) -> None:
        super().__init__(params)
        check(params)

    def _crop_size(self) -> tuple[np.ndarray, float]:
        params = self.params
        size = np.broadcast_to(np.asarray(params.image_sample_size, dtype=float), (2,)).copy()
        if params.get('use_image_aspect_ratio', False):
            size = self.image_sz * np.sqrt(np.prod(size) / np.prod(self.image_sz))
            stride = params.get('feature_stride', 32)
            size = np.round(size / stride) * stride
        search_area = np.prod(self.target_sz * params.search_area_scale)
        return size, float(np.sqrt(search_area) / np.sqrt(np.prod(size)))

    def _learn_first_frame(self, image: np.ndarray) -> None:
        params, net = self.params, self.net
        crops, augmentations, sample = first_frame.samples_of(
            image, self.pos, self.target_scale, self.sample_sz, params, self._uniform, net.device)
        backbone = net.extract_backbone(crops)
        plain = sample.box_of(self.pos, self.target_sz)
        boxes = first_frame.sample_boxes(plain, augmentations)
        features = self._features(backbone)
        self.feature_sz = np.array(features.shape[-2:])
        if params.get('use_augmentation', True) and 'dropout' in params.augmentation:
            copies = first_frame.dropout_copies(features[:1], params.augmentation, self._uniform)
            features = torch.cat((features, copies))
            boxes = np.concatenate((boxes, np.repeat(boxes[:1], len(copies), axis=0)))
        box_tensor = self._tensor(boxes)
        if params.get('use_iou_net', True):
            modulated_box = self._tensor(np.concatenate((plain[None], boxes[1:])))
            self.modulation = first_frame.modulation_of(net, backbone, modulated_box, augmentations, params)
        self.optimizer = tracking_optimizer(net, params)
        self.filter, _, _ = self.optimizer(
            initial_filter(net, features[:, None], box_tensor[:, None], params), feat=features[:, None],
            bb=box_tensor[:, None], num_iter=params.get('net_opt_iter', None), compute_losses=False)
        self.kernel_sz = np.array(self.filter.shape[-2:])
        score_sz = self.feature_sz + (self.kernel_sz + 1) % 2
        windowed = params.get('window_output', False) and params.get('perform_hn_without_windowing', False)
        self.window = hann2d((int(score_sz[0]), int(score_sz[1]))) if windowed else None
        if params.get('update_classifier', False):
            self.memory = SampleMemory(features, box_tensor, params.sample_memory_size,
                                       params.get('init_samples_minimum_weight', None))

    def _centre(self) -> np.ndarray:
        return self.pos + ((self.feature_sz + self.kernel_sz) % 2 * self.target_scale * self.sample_sz
                           / (2 * self.feature_sz))

    def _place(self, coords: np.ndarray, factor: float) -> Sample:
        return Sample.of_corners(coords, self.sample_sz)

    def _features(self, backbone: OrderedDict[str, Tensor]) -> Tensor:
        return self.net.extract_classification_feat(backbone)

    @staticmethod
    def _features_together(trackers: list[DiMP], backbones: list[OrderedDict[str, Tensor]]) -> list[Tensor]:
        joined = OrderedDict((name, torch.cat([layers[name] for layers in backbones])) for name in backbones[0])
        return list(trackers[0]._features(joined).chunk(len(trackers)))

    def _scores(self, features: Tensor) -> np.ndarray:
        return to_host(self._score_maps(features))

    @staticmethod
    def _scores_together(trackers: list[DiMP], features: list[Tensor]) -> list[np.ndarray]:
        return list(to_host(torch.stack(together(trackers, '_score_maps', features))))

    def _score_maps(self, features: Tensor) -> Tensor:
        """What the target is localised on, (scales, H', W')."""
        return self._score_maps_together([self], [features])[0]

    @staticmethod
    def _score_maps_together(trackers: list[DiMP], features: list[Tensor]) -> list[Tensor]:
        first = trackers[0]
        filters = torch.cat([tracker.filter for tracker in trackers])
        scores = first.net.classifier.classify(filters, torch.stack(features, dim=1)).transpose(0, 1)
        maps = preprocess(scores.flatten(0, 1), first.params, getattr(first.optimizer, 'softmax_reg', None))
        return list(maps.chunk(len(trackers)))

    def _localize(self, scores: np.ndarray, samples: list[Sample]) -> Peak:
        cell = self.sample_sz / self.feature_sz
        pixels = [sample.scale * cell for sample in samples]
        neighbourhood = np.stack([self.params.get('target_neighborhood_scale', 2.2) * self.target_sz / size
                                  for size in pixels])
        previous = np.stack([(self.pos - sample.pos) / size for sample, size in zip(samples, pixels, strict=True)])
        scales = np.array([sample.scale for sample in samples])
        return localize(scores, cell, scales, neighbourhood, previous, self.params, self.window)

    def _update(self, peak: Peak, sample: Sample, features: Tensor) -> None:
        """Store a good frame and, when its turn has come, optimise the filter on the memory."""
        if peak.flag in ('not_found', 'uncertain'):
            return
        params = self.params
        hard_negative = peak.flag == 'hard_negative'
        if hard_negative or self.frame_num % params.get('train_sample_interval', 1) == 0:
            box = self._tensor(sample.box_of(self.pos, self.target_sz))
            self.memory.insert(features, box, self._learning_rate(peak))
        steps = self._steps(peak, hard_negative)
        if steps > 0:
            feat, boxes, weights = self.memory.samples()
            self.filter, _, _ = self.optimizer(
                self.filter, num_iter=steps, feat=feat[:, None], bb=boxes[:, None], sample_weight=weights,
                compute_losses=False)

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
