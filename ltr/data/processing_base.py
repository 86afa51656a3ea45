"""What all training-time processing shares: transforms, jitter, proposals and stacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltr.data.crops import TooSmallBoxError
from ltr.data.proposals import draw_proposals
from ltr.data.transforms import ToTensor, Transform
from ltr.tensors import TensorDict

SETS = ('train', 'test')
MAX_JITTERS = 10


class BaseProcessing:
    """Callable `TensorDict -> TensorDict` with the transforms of a sample.

    Args:
        transform: of the crops of both sets; default `ToTensor()`.
        train_transform: of the train (reference) crops, instead of `transform`.
        test_transform: of the test crops, instead of `transform`.
        joint_transform: of the full frames before cropping, one roll for all frames of both sets.
    """

    def __init__(self, transform: Any = None, train_transform: Any = None, test_transform: Any = None,
                 joint_transform: Any = None) -> None:
        default = ToTensor() if transform is None else transform
        self.transform = {
            'train': Transform(default if train_transform is None else train_transform),
            'test': Transform(default if test_transform is None else test_transform),
            'joint': Transform() if joint_transform is None else Transform(joint_transform)}

    def __call__(self, data: TensorDict) -> TensorDict:
        raise NotImplementedError


class JitteredProcessing(BaseProcessing):
    """What ATOM's and DiMP's processing share; subclasses say how a frame is cropped.

    Reads `train_images, train_anno, test_images, test_anno`: lists of images uint8 (H, W, C), any C, and of
    boxes `xywh` (4,), image px. Replaces them by crops (frames, C, H, W) and boxes `xywh` (frames, 4), crop
    px, and adds `test_proposals` (frames, n, 4) and `proposal_iou` (frames, n), where n = boxes_per_frame and
    the latter is 2 IoU - 1. Mode 'pair' (one frame a set) leaves the frame axis out. Random numbers come from
    `random` and `torch`; the same state of these gives the same result.

    Args:
        search_area_factor: side of the crop over the target side sqrt(w h).
        output_sz: side of the crop, px; for DiMP also (width, height).
        center_jitter_factor: {'train': c, 'test': c}; the centre moves by up to c / 2 of the target side an
            axis.
        scale_jitter_factor: {'train': s, 'test': s}; sizes are multiplied by exp(s z), z normal, an axis.
        proposal_params: {'boxes_per_frame', 'min_iou', 'sigma_factor'} of `draw_proposals`; None for no
            proposals.
        mode: 'pair' or 'sequence'.
        transforms: as for `BaseProcessing`.
    """

    PROPOSAL_PARAMS = frozenset({'boxes_per_frame', 'min_iou', 'sigma_factor'})

    def __init__(self, search_area_factor: float, output_sz: int | Sequence[int],
                 center_jitter_factor: Mapping[str, float], scale_jitter_factor: Mapping[str, float],
                 proposal_params: Mapping[str, Any] | None = None, mode: str = 'pair',
                 **transforms: Any) -> None:
        super().__init__(**transforms)
        if mode not in ('pair', 'sequence'):
            raise ValueError(f"mode {mode!r} is neither 'pair' nor 'sequence'")
        unknown = set(proposal_params or ()) - self.PROPOSAL_PARAMS
        if unknown:
            raise ValueError(f'unknown proposal_params: {sorted(unknown)}')
        self.search_area_factor = search_area_factor
        self.output_sz = output_sz
        self.center_jitter_factor, self.scale_jitter_factor = center_jitter_factor, scale_jitter_factor
        self.proposal_params, self.mode = proposal_params, mode

    def crop(self, image: np.ndarray, centre_box: Tensor, box: Tensor) -> tuple[np.ndarray, Tensor]:
        """Crop around `centre_box` and `box` in it; boxes `xywh` (4,), image px in, crop px out."""
        raise NotImplementedError

    def __call__(self, data: TensorDict) -> TensorDict:
        """Process one sample in place and return it.

        Raises:
            TooSmallBoxError: a box is empty, also after `MAX_JITTERS` draws of its jitter.
        """
        self._joint_transform(data)
        for name in SETS:
            pairs = [self.jittered_crop(image, box, name) for image, box in
                     zip(data[f'{name}_images'], data[f'{name}_anno'], strict=True)]
            data[f'{name}_images'], data[f'{name}_anno'] = self.transform[name](
                image=[image for image, _ in pairs], bbox=[box for _, box in pairs], joint=False)
        if self.proposal_params is not None:
            self.propose(data, self.proposal_params)
        return self._stack(data)

    def propose(self, data: TensorDict, params: Mapping[str, Any]) -> None:
        """Add proposals of the test frames, lists of one entry a frame."""
        drawn = [draw_proposals(box, **params) for box in data['test_anno']]
        data['test_proposals'] = [boxes for boxes, _ in drawn]
        data['proposal_iou'] = [targets for _, targets in drawn]

    def jitter(self, box: Tensor, set_name: str) -> Tensor:
        """Randomly shifted and scaled box `xywh` (4,), image px; `set_name` is 'train' or 'test'."""
        size = box[2:] * torch.exp(torch.randn(2) * self.scale_jitter_factor[set_name])
        reach = self.center_jitter_factor[set_name] * size.prod().sqrt()
        centre = box[:2] + 0.5 * box[2:] + reach * (torch.rand(2) - 0.5)
        return torch.cat((centre - 0.5 * size, size))

    def jittered_crop(self, image: np.ndarray, box: Tensor, set_name: str) -> tuple[np.ndarray, Tensor]:
        """`crop` around a jittered box; an unlucky jitter that leaves nothing to crop is drawn again."""
        for _ in range(MAX_JITTERS - 1):
            try:
                return self.crop(image, self.jitter(box, set_name), box)
            except TooSmallBoxError:
                continue
        return self.crop(image, self.jitter(box, set_name), box)

    def _joint_transform(self, data: TensorDict) -> None:
        for name in SETS:
            data[f'{name}_images'], data[f'{name}_anno'] = self.transform['joint'](
                image=data[f'{name}_images'], bbox=data[f'{name}_anno'], new_roll=name == SETS[0])

    def _stack(self, data: TensorDict) -> TensorDict:
        for key, value in data.items():
            if not (isinstance(value, list) and value and isinstance(value[0], Tensor)):
                continue
            if self.mode == 'pair' and len(value) > 1:
                raise ValueError(f"{key} has {len(value)} frames: mode 'pair' is for one, take 'sequence'")
            data[key] = torch.stack(value) if self.mode == 'sequence' else value[0]
        return data
