"""The KYS tracker: DiMP, localised on a response that also knows the scene.

Reference: Bhat et al., "Know Your Surroundings: Exploiting Scene Information for Object Tracking", ECCV 2020.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.models.kys.response import Scene
from pytracking.tracker.dimp.dimp import DiMP
from pytracking.utils.params import TrackerParams


class KYS(DiMP):
    """DiMP with states of the scene, which are carried from frame to frame and updated.

    Args:
        params: see `pytracking.parameter.kys` and `DiMP`; without `fuse_response` it is DiMP.

    Raises:
        UserError: parameters that are not understood, or several `scale_factors`: states belong to one crop a frame.
    """

    name = 'kys'

    def __init__(self, params: TrackerParams) -> None:
        super().__init__(params)
        self.fuses = bool(params.get('fuse_response', True))
        self.scene: Scene | None = None
        if self.fuses and np.size(params.get('scale_factors', 1.0)) > 1:
            raise UserError('kys knows one crop a frame: remove scale_factors from the parameter file, or set '
                            'fuse_response = False')

    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """As DiMP; the network needs a response predictor.

        Raises:
            UserError: it has none.
        """
        self.net.initialize()
        if self.fuses and not hasattr(self.net.net, 'response_predictor'):
            raise UserError('the network has no response predictor: it is no KYS; track it with the tracker dimp, or '
                            'set fuse_response = False')
        self.scene = None
        return super().initialize(image, info)

    def _learn_first_frame(self, image: np.ndarray) -> None:
        super()._learn_first_frame(image)
        if not self.fuses:
            return
        # As a tracked frame is cropped: the samples that the filter is made of are cut in another way.
        backbone, (sample,) = self._extract(image)
        box = self._tensor(sample.box_of(self.pos, self.target_sz))
        self.scene = self.net.start(self._features(backbone), box[None])

    def _score_maps(self, features: Tensor) -> Tensor:
        """Fused responses in place of scores; the states are those of this frame from here on."""
        appearance = super()._score_maps(features)
        if self.scene is None:
            return appearance
        response, self.scene = self.net.step(self.scene, features, appearance)
        fused: torch.Tensor = response.fused
        return fused
