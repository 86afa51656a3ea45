"""The ATOM tracker.

Reference: Danelljan et al., "ATOM: Accurate Tracking by Overlap Maximization", CVPR 2019. Positions and sizes are numpy
pairs (y, x) in image px.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from torch import Tensor

from pytracking.features.host import to_host
from pytracking.tracker.atom.classifier import OnlineClassifier
from pytracking.tracker.atom.maps import gaussian_label, hann2d, upsampling
from pytracking.tracker.common import first_frame
from pytracking.tracker.common.geometry import Sample
from pytracking.tracker.common.localization import Peak, localize
from pytracking.tracker.common.memory import SampleMemory
from pytracking.tracker.common.online import OnlineTracker

NOT_IMPLEMENTED = ('use_image_aspect_ratio', 'score_preprocess', 'clip_window', 'border_mode', 'patch_max_scale_change',
                   'iounet_augmentation')


class ATOM(OnlineTracker):
    """ATOM with a classifier of two layers, learned online.

    Args:
        params: see `pytracking.tracker.atom.defaults` and `OnlineTracker`.
    """

    name = 'atom'
    refused = NOT_IMPLEMENTED
    own_steps = True

    def _crop_size(self) -> tuple[np.ndarray, float]:
        """The crop is as large as the search region, within bounds, and a whole number of feature cells."""
        params = self.params
        area = float(np.prod(self.target_sz * params.search_area_scale))
        bounded = min(max(area, params.min_image_sample_size), params.max_image_sample_size)
        scale = float(np.sqrt(area / bounded))
        side = round(float(np.sqrt(np.prod(self.target_sz / scale * params.search_area_scale))))
        side = side // 32 * 32 + 16 if params.get('feature_size_odd', False) else (side + 16) // 32 * 32
        return np.array([side, side], dtype=float), scale

    def _learn_first_frame(self, image: np.ndarray) -> None:
        params, net = self.params, self.net
        crops, augmentations, sample = first_frame.samples_of(
            image, self.pos, self.target_scale, self.sample_sz, params, self._uniform, net.device, round_centre=False)
        backbone = net.extract_backbone(crops)
        features = self._normalised(backbone)
        self.feature_sz = np.array(features.shape[-2:])
        self.score_sz = int(params.get('score_upsample_factor', 1) * self.sample_sz[0])
        if params.get('use_iou_net', True):
            box = self._tensor(sample.box_of(self.pos, self.target_sz))[None]
            self.modulation = first_frame.modulation_of(net, backbone, box, augmentations[:1], params)
            self.refined_pos = self.pos.copy()
        self.classifier = OnlineClassifier(params, self.rng)
        shifts = [a.shift for a in augmentations]
        if params.get('use_augmentation', True) and 'dropout' in params.augmentation:
            copies = first_frame.dropout_copies(features[:1], params.augmentation, self._uniform)
            features = torch.cat((features, copies))
            shifts += [shifts[0]] * len(copies)
        labels = self._tensor(np.stack([self._label(sample, shift) for shift in shifts]))
        samples = self.classifier.learn_first(features, labels)
        self._prepare_maps()
        if params.get('update_classifier', False):
            self.memory = SampleMemory(samples, labels, params.sample_memory_size,
                                       params.get('init_samples_minimum_weight', None), keep_first=True)

    def _prepare_maps(self) -> None:
        """Upsampling matrix and window of the score maps."""
        matrix = upsampling(int(self.feature_sz[0]), self.score_sz, self.classifier.kernel)
        self.upsampling = self._tensor(matrix)
        self.window = hann2d(self.score_sz) if self.params.get('window_output', False) else None

    def _normalised(self, backbone: OrderedDict[str, Tensor]) -> Tensor:
        """The classifier's layer, divided in each image by its p-norm (a mean, so its size does not matter)."""
        features = self.net.get_backbone_clf_feat(backbone)
        power = self.params.get('normalize_power', None)
        if power is None:
            return features
        mean = features.abs().pow(power).flatten(1).mean(dim=1)
        return features / (mean + 1e-10).pow(1 / power)[:, None, None, None]

    def _label(self, sample: Sample, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Label map (H, W) of the target in a sample whose content moved by `shift` (y, x), crop px."""
        cells = self.feature_sz / sample.size
        sigma = float(np.sqrt(np.prod(cells * self.base_target_sz))) * self.params.output_sigma_factor
        centre = cells * ((self.pos - sample.pos) / sample.scale + np.asarray(shift))
        return gaussian_label(self.feature_sz, sigma, centre + (self.classifier.kernel + 1) % 2 / 2)

    def _place(self, coords: np.ndarray, factor: float) -> Sample:
        # As in stock from the position, not from the corners: off by up to a pixel, and parameters were tuned with it.
        return Sample(np.round(self.pos), self.target_scale * factor, self.sample_sz)

    def _features(self, backbone: OrderedDict[str, Tensor]) -> Tensor:
        return self.classifier.project(self._normalised(backbone))

    def _scores(self, features: Tensor) -> np.ndarray:
        fine = self.upsampling @ self.classifier.scores(features) @ self.upsampling.T
        return to_host(fine)

    def _localize(self, scores: np.ndarray, samples: list[Sample]) -> Peak:
        params = self.params
        advanced = params.get('advanced_localization', False)
        window = self.window
        if window is not None and not (advanced and params.get('perform_hn_without_windowing', False)):
            scores, window = scores * window, None
        # As in stock, the scale factor of the best map is left out of advanced localisation.
        scales = np.array([self.target_scale if advanced else sample.scale for sample in samples])
        pixel = self.target_scale * self.sample_sz / self.score_sz
        neighbourhood = np.tile(params.get('target_neighborhood_scale', 2.2) * self.target_sz / pixel, (len(scales), 1))
        centre = np.full(2, self.score_sz // 2)
        return localize(scores, self.sample_sz / self.score_sz, scales, neighbourhood, np.zeros_like(neighbourhood),
                        params, window, centre)

    def _update(self, peak: Peak, sample: Sample, features: Tensor) -> None:
        """Store a good frame; improve the filter on schedule, and on hard negatives."""
        params = self.params
        if peak.flag not in ('not_found', 'uncertain'):
            self.memory.insert(features, self._tensor(self._label(sample)), self._learning_rate(peak))
        if peak.flag == 'hard_negative':
            self.classifier.learn(*self.memory.samples(), params.get('hard_negative_CG_iter', 0))
        elif (self.frame_num - 1) % params.train_skipping == 0:
            self.classifier.learn(*self.memory.samples(), params.CG_iter)
