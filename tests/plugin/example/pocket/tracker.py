"""The tracker: it crops where the target was, and goes where the score is highest. Sizes stay."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from pytracking.tracker.base import BaseTracker


class PocketTracker(BaseTracker):
    """Parameters: `net`, `crop_size` (px) and `search_area_scale`, side of a crop over that of the target."""

    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """See `BaseTracker`."""
        self.box = np.array(info['init_bbox'], dtype=float)
        size = self.params.crop_size
        shown = self.box[2:] * size / self._side()
        box = torch.tensor([[*(size / 2 - shown / 2), *shown]], dtype=torch.float32)
        with torch.no_grad():
            features = self.params.net.extract_backbone(self._crop(image))
            self.target = self.params.net.target(features, box.to(self.params.net.device))
        return {}

    def track(self, image: np.ndarray, info: dict[str, Any] | None = None) -> dict[str, Any]:
        """See `BaseTracker`."""
        net = self.params.net
        with torch.no_grad():
            scores = net.scores(self.target, net.search(net.extract_backbone(self._crop(image))))[0]
        row, column = divmod(int(scores.argmax()), scores.shape[1])
        cell = self._side() / scores.shape[1]
        self.box[:2] += cell * (np.array([column, row]) + 0.5 - scores.shape[1] / 2)
        self.box[:2] = np.clip(self.box[:2], 0, np.maximum(image.shape[1::-1] - self.box[2:], 0))
        return {'target_bbox': self.box.tolist(), 'confidence': float(scores.max())}

    def _side(self) -> float:
        """Side of a crop, image px."""
        return self.params.search_area_scale * float(np.sqrt(self.box[2:].prod()))

    def _crop(self, image: np.ndarray) -> Tensor:
        """Square around the target, (1, 3, S, S) of 0..255; the border is repeated outside the image."""
        size, centre = self.params.crop_size, self.box[:2] + self.box[2:] / 2
        factor = size / self._side()
        move = np.array([[factor, 0, size / 2 - factor * centre[0]], [0, factor, size / 2 - factor * centre[1]]])
        crop = cv2.warpAffine(image, move, (size, size), borderMode=cv2.BORDER_REPLICATE)
        return torch.from_numpy(crop).permute(2, 0, 1)[None].float().to(self.params.net.device)


def get_tracker_class() -> type[PocketTracker]:
    """Of `pocket`, and of `cmd_pocket`, which differs in its network alone."""
    return PocketTracker
