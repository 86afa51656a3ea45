"""From drawn frames to the tensors that DiMP trains on: transform, crop, propose, label, stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ltr.data.crops import CROP_TYPES, box_to_window, cut, dimp_window
from ltr.data.labels import gaussian_label_function
from ltr.data.processing_base import SETS, JitteredProcessing
from ltr.tensors import TensorDict


class DiMPProcessing(JitteredProcessing):
    """Processing of DiMP ("DiMP", Sec. 3.5): crops moved into the image, and Gaussian labels.

    Adds `train_label` and `test_label` (frames, rows, columns) when `label_function_params` are given.

    Args:
        search_area_factor: see `JitteredProcessing`, as all that are not named here.
        output_sz: side of the crop, px, or (width, height).
        center_jitter_factor: see above.
        scale_jitter_factor: see above.
        crop_type: 'replicate', 'inside' or 'inside_major', see `dimp_window`.
        max_scale_change: greatest shrinking of the 'inside' kinds; None for no bound.
        mode: 'pair' or 'sequence'.
        proposal_params: see above.
        label_function_params: {'feature_sz', 'sigma_factor', 'kernel_sz', 'end_pad_if_even'} (the last
            defaults to True), see `gaussian_label_function`.
        transforms: as for `BaseProcessing`.
    """

    def __init__(self, search_area_factor: float, output_sz: int | Sequence[int],
                 center_jitter_factor: Mapping[str, float], scale_jitter_factor: Mapping[str, float],
                 crop_type: str = 'replicate', max_scale_change: float | None = None, mode: str = 'pair',
                 proposal_params: Mapping[str, Any] | None = None,
                 label_function_params: Mapping[str, Any] | None = None, **transforms: Any) -> None:
        super().__init__(search_area_factor, output_sz, center_jitter_factor, scale_jitter_factor,
                         proposal_params, mode, **transforms)
        if crop_type not in CROP_TYPES:
            raise ValueError(f'crop_type {crop_type!r} is none of {CROP_TYPES}')
        self.crop_type, self.max_scale_change = crop_type, max_scale_change
        self.label_function_params = label_function_params
        width, height = (output_sz, output_sz) if isinstance(output_sz, int) else output_sz
        self._size = int(width), int(height)

    def crop(self, image: np.ndarray, centre_box: Tensor, box: Tensor) -> tuple[np.ndarray, Tensor]:
        """See `dimp_window` and `box_to_window`."""
        height, width = image.shape[:2]
        window = dimp_window(centre_box, self.search_area_factor, self._size, (width, height), self.crop_type,
                             self.max_scale_change)
        return cut(image, window, self._size), box_to_window(box, window, self._size)

    def __call__(self, data: TensorDict) -> TensorDict:
        """As for `JitteredProcessing`, with labels."""
        data = super().__call__(data)
        if self.label_function_params is not None:
            for name in SETS:
                data[f'{name}_label'] = self.label(data[f'{name}_anno'])
        return data

    def label(self, boxes: Tensor) -> Tensor:
        """Gaussian labels (..., rows, columns) of boxes `xywh` (..., 4), crop px."""
        params = self.label_function_params or {}
        return gaussian_label_function(boxes, params['sigma_factor'], params['kernel_sz'],
                                       params['feature_sz'], self._size, params.get('end_pad_if_even', True))
