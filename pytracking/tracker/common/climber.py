"""Refines boxes in the frames of one tracker, or of several at once, and brings the result to the host."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ltr.models.bbreg.atom_iou_net import AtomIoUNet
from ltr.models.bbreg.iou_gradient import IoUHead
from pytracking.features.graphs import Replayed
from pytracking.features.host import to_host
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.features.speed import Speed
from pytracking.tracker.common.iou_objective import IoUObjective
from pytracking.tracker.common.refinement import ascend, climb
from pytracking.utils.params import TrackerParams

Climb = tuple[list[Tensor], list[Tensor], Tensor]
"""What is refined: see `Climber.climb`."""
SMALL_MAP = 24 * 24
"""Cells of stride 8 up to which the whole map costs hardly more than a window, and lets frames be refined together."""
_CLIMBERS: WeakKeyDictionary[nn.Module, dict[Hashable, Climber]] = WeakKeyDictionary()


def climber_of(net: NetWithBackbone, params: TrackerParams, own_steps: bool) -> Climber:
    """The climber of a network, shared by all trackers with these parameters, and so is what it has recorded."""
    known = _CLIMBERS.setdefault(net.net, {})
    options = {name: value for name, value in vars(params).items() if name.startswith('box_refinement_')}
    key = own_steps, net.speed, tuple(sorted((name, repr(value)) for name, value in options.items()))
    if key not in known:
        # Not `params` itself, which holds the network: what is known of it would keep it alive.
        own = TrackerParams()
        own.set_default_values(options)
        known[key] = Climber(net.bb_regressor, own, own_steps, net.speed)
    return known[key]


class Climber:
    """Gradient ascent on the predicted IoU; in closed form where the predictor is known.

    Args:
        regressor: the network's IoU predictor.
        params: see `climb`.
        own_steps: see `climb`.
        speed: `closed_form` and `windows` count.
    """

    def __init__(self, regressor: Any, params: TrackerParams, own_steps: bool, speed: Speed) -> None:
        self.regressor, self.params, self.own_steps, self.speed = regressor, params, own_steps, speed
        self.head = IoUHead(regressor) if speed.closed_form and type(regressor) is AtomIoUNet else None
        self.work: Callable[..., Sequence[Tensor]] = Replayed(self._joined) if self._records else self._joined

    @property
    def _records(self) -> bool:
        return self.speed.graphs and self.head is not None

    def climb(self, inputs: Sequence[Climb]) -> list[np.ndarray]:
        """Refined boxes of frames, each of one tracker.

        Args:
            inputs: of each frame, features of stride 8 and 16, (1, C, H, W) each; two modulation vectors (1, C, 1, 1);
                and the boxes to start from, (P, 4) `xywh`, crop px.

        Returns:
            Of each frame (P, 5): the boxes, and the IoU that they are ranked by.
        """
        cells = inputs[0][0][0].shape[-2] * inputs[0][0][0].shape[-1]
        if self.head is not None and self.speed.windows and cells > SMALL_MAP:  # windows differ from frame to frame
            return [to_host(self._joined(*features, *modulation, start)[0]) for features, modulation, start in inputs]
        tensors = zip(*((*features, *modulation, start[None]) for features, modulation, start in inputs), strict=True)
        return list(to_host(self.work(*(torch.cat(of_all) for of_all in tensors))[0]))

    def _joined(self, *tensors: Tensor) -> list[Tensor]:
        """Of N frames in one piece (N, P, 5), from two maps of features, two modulation vectors and boxes (N, P, 4)."""
        features, modulation, start = tensors[:2], tensors[2:4], tensors[4]
        if self.head is not None:
            objective = IoUObjective(self.regressor, self.head, modulation, features, self.speed.windows)
            boxes, iou = climb(objective.value_and_gradient, start, self.params, self.own_steps)
        else:
            iou_features = self.regressor.get_iou_feat(features)
            boxes, iou = ascend(lambda boxes: self.regressor.predict_iou(modulation, iou_features, boxes), start,
                                self.params, self.own_steps)
        return [torch.cat((boxes, iou[..., None]), dim=-1)]
