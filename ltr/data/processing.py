"""From drawn frames to the tensors that trackers train on; the processing of every tracker by its public name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ltr.data.crops import box_to_atom_crop, sample_target
from ltr.data.dimp_processing import DiMPProcessing
from ltr.data.kl_processing import KLDiMPProcessing
from ltr.data.processing_base import BaseProcessing, JitteredProcessing

__all__ = ['ATOMProcessing', 'BaseProcessing', 'DiMPProcessing', 'JitteredProcessing', 'KLDiMPProcessing']


class ATOMProcessing(JitteredProcessing):
    """Processing of ATOM ("ATOM", Sec. 3.4): square crops whose outside replicates the border.

    Arguments as for `JitteredProcessing`, `proposal_params` required and `output_sz` one number.
    """

    def __init__(self, search_area_factor: float, output_sz: int, center_jitter_factor: Mapping[str, float],
                 scale_jitter_factor: Mapping[str, float], proposal_params: Mapping[str, Any],
                 mode: str = 'pair', **transforms: Any) -> None:
        super().__init__(search_area_factor, output_sz, center_jitter_factor, scale_jitter_factor,
                         proposal_params, mode, **transforms)
        self._side = int(output_sz)

    def crop(self, image: np.ndarray, centre_box: Tensor, box: Tensor) -> tuple[np.ndarray, Tensor]:
        """See `sample_target` and `box_to_atom_crop`."""
        crop, factor = sample_target(image, centre_box, self.search_area_factor, self._side)
        return crop, box_to_atom_crop(box, centre_box, factor, self._side)
