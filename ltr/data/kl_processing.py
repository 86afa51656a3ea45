"""From drawn frames to the tensors that PrDiMP and SuperDiMP train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ltr.data.dimp_processing import DiMPProcessing
from ltr.data.kl_labels import gaussian_label_density
from ltr.data.kl_proposals import draw_gmm_proposals
from ltr.data.processing_base import SETS
from ltr.tensors import TensorDict

FAR_AWAY = 99999999.9
"""x and y of the box of a frame that shows only a distractor: its label is empty, its box takes no part in the loss."""


class KLDiMPProcessing(DiMPProcessing):
    """Processing of PrDiMP (PrDiMP, Sec. 5): DiMP's, with densities in place of overlaps.

    Adds `proposal_density` and `gt_density` (frames, n), the densities at the proposals; `train_label_density` and
    `test_label_density` (frames, rows, columns) when `label_density_params` are given; `train_label` and `test_label`
    when `label_function_params` are. Frames that are flagged in the optional lists `is_distractor_train_frame` and
    `is_distractor_test_frame` have no target: an empty label, a uniform density, a box far away.

    Args:
        search_area_factor: see `DiMPProcessing`, as all that are not named here.
        output_sz: see above.
        center_jitter_factor: see above.
        scale_jitter_factor: see above.
        crop_type: see above.
        max_scale_change: see above.
        mode: 'pair' or 'sequence'.
        proposal_params: {'boxes_per_frame', 'gt_sigma', 'proposal_sigma', 'add_mean_box'} of `draw_gmm_proposals`.
        label_function_params: see above.
        label_density_params: {'feature_sz', 'sigma_factor', 'kernel_sz'} and optionally {'end_pad_if_even',
            'uni_weight', 'threshold', 'normalize', 'shrink'}, see `gaussian_label_density`.
        transforms: as for `BaseProcessing`.
    """

    PROPOSAL_PARAMS = frozenset({'boxes_per_frame', 'gt_sigma', 'proposal_sigma', 'add_mean_box'})

    def __init__(self, search_area_factor: float, output_sz: int | Sequence[int],
                 center_jitter_factor: Mapping[str, float], scale_jitter_factor: Mapping[str, float],
                 crop_type: str = 'replicate', max_scale_change: float | None = None, mode: str = 'pair',
                 proposal_params: Mapping[str, Any] | None = None,
                 label_function_params: Mapping[str, Any] | None = None,
                 label_density_params: Mapping[str, Any] | None = None, **transforms: Any) -> None:
        super().__init__(search_area_factor, output_sz, center_jitter_factor, scale_jitter_factor, crop_type,
                         max_scale_change, mode, proposal_params, label_function_params, **transforms)
        self.label_density_params = label_density_params

    def propose(self, data: TensorDict, params: Mapping[str, Any]) -> None:
        """See `JitteredProcessing`; the densities are added, too."""
        drawn = [draw_gmm_proposals(box, **params) for box in data['test_anno']]
        for index, key in enumerate(('test_proposals', 'proposal_density', 'gt_density')):
            data[key] = [entry[index] for entry in drawn]

    def _stack(self, data: TensorDict) -> TensorDict:
        # Between proposals, which need the place of the distractor, and labels, which must not show it.
        for name in SETS:
            flags = data.get(f'is_distractor_{name}_frame')
            if flags is not None:
                data[f'{name}_anno'] = [_far_away(box) if flag else box for box, flag in
                                        zip(data[f'{name}_anno'], flags, strict=True)]
        return super()._stack(data)

    def __call__(self, data: TensorDict) -> TensorDict:
        """As for `DiMPProcessing`, with label densities."""
        data = super().__call__(data)
        if self.label_density_params is not None:
            for name in SETS:
                data[f'{name}_label_density'] = self.label_density(data[f'{name}_anno'])
        return data

    def label_density(self, boxes: Tensor) -> Tensor:
        """Label densities (..., rows, columns) of boxes `xywh` (..., 4), crop px."""
        params = dict(self.label_density_params or {})
        return gaussian_label_density(boxes, params.pop('sigma_factor'), params.pop('kernel_sz'),
                                      params.pop('feature_sz'), self._size, **params)


def _far_away(box: Tensor) -> Tensor:
    return torch.cat((torch.full_like(box[:2], FAR_AWAY), box[2:]))
