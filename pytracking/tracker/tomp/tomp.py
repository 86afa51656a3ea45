"""The ToMP tracker.

Reference: Mayer et al., "Transforming Model Prediction for Tracking", CVPR 2022. Positions and sizes are numpy pairs
(y, x) in image px.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.models.bbreg.ltrb import STRIDE, boxes_of
from pytracking.features.host import to_host
from pytracking.tracker.base.steps import Steps
from pytracking.tracker.common.geometry import Sample
from pytracking.tracker.common.localization import Peak
from pytracking.tracker.dimp.dimp import DiMP

NOT_IMPLEMENTED = ('scale_factors', 'use_iou_net', 'window_output', 'score_preprocess', 'score_filter_ksz',
                   'use_augmentation')


class ToMP(DiMP):
    """DiMP's crops and localisation; scores and boxes are predicted anew in every frame, nothing is optimised.

    The memory holds the first frame and the last one whose score was above `memory_threshold`. Scores come from a model
    of both, boxes from one of the first frame alone, since a predicted box would mislead (ToMP, Sec. 3.5).

    Args:
        params: see `pytracking.tracker.tomp.defaults` and `OnlineTracker`.

    Raises:
        UserError: a parameter of DiMP that has no meaning here.
    """

    name = 'tomp'
    refused = NOT_IMPLEMENTED

    def _learn_first_frame(self, image: np.ndarray) -> None:
        if (self.sample_sz % STRIDE).any():
            raise UserError(f'image_sample_size must be a multiple of {STRIDE}, not {self.params.image_sample_size}: '
                            'correct the parameter file')
        self.feature_sz = self.sample_sz // STRIDE
        self.kernel_sz = np.ones(2)
        self.window = None
        self.recent: Tensor | None = None
        backbone, samples = self._extract(image)
        self.first = self._encoded(self._features(backbone), samples[0])

    def _encoded(self, features: Tensor, sample: Sample) -> Tensor:
        """Features (1, C, H, W) of a frame with the target as it is now."""
        box = self._tensor(sample.box_of(self.pos, self.target_sz))
        return self.net.head.encode_reference(features, box[None])

    def _features(self, backbone: OrderedDict[str, Tensor]) -> Tensor:
        return self.net.extract_head_feat(backbone)

    def _scores(self, features: Tensor) -> np.ndarray:
        """Score map (1, H', W'); the boxes are kept for `_move_steps`."""
        head, test = self.net.head, self.net.head.encode_test(features)
        found = sure = head.predict(self.first[None], test, head.query(1))
        if self.recent is not None:
            # The paper hides the recent frame from a copy of the sequence in one batch; without it there is less to do.
            found = head.predict(torch.stack((self.first, self.recent)), test, head.query(1))
        maps = to_host(torch.cat((found.scores, sure.ltrb[0])))
        self.boxes = boxes_of(torch.from_numpy(maps[1:])).numpy().astype(float)
        return maps[:1]

    def _move_steps(self, peak: Peak, sample: Sample, backbone: OrderedDict[str, Tensor]) -> Steps:
        """The box that the peak's cell tells becomes the target."""
        cell = self.sample_sz / self.feature_sz * sample.scale
        row, column = np.round(peak.translation / cell + (self.feature_sz - 1) / 2).astype(int)
        box = self.boxes[row, column]
        if np.isfinite(box).all():
            # The inverse of `box_of`, to the half pixel: distances are counted from the crop's edge.
            position = (box[1::-1] + box[:1:-1] / 2 - sample.size / 2) * sample.scale + sample.pos
            size = box[:1:-1] * sample.scale
            allowed = (self.params.get('target_inside_ratio', 0.2) - 0.5) * size
            self.pos = np.clip(position, allowed, self.image_sz - allowed)
            self.target_sz = np.maximum(size, 1)
            if peak.flag != 'uncertain' or self.params.get('update_scale_when_uncertain', True):
                self.target_scale = float(np.sqrt(np.prod(self.target_sz) / np.prod(self.base_target_sz)))
        yield from ()

    def _update(self, peak: Peak, sample: Sample, features: Tensor) -> None:
        """Put a frame of which the tracker is sure in place of the one before."""
        if peak.flag not in ('not_found', 'uncertain') and peak.score > self.params.memory_threshold:
            self.recent = self._encoded(features, sample)
