"""Cross-modal processing: the toolkit's own DiMP processing on pairs of six channels.

A pair is one image, so both modalities of a branch are cropped, flipped and jittered alike by construction,
while each branch has its own jittered crop of the pair and its own box in that crop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import ltr.data.transforms as tfm
from ltr.data.processing import DiMPProcessing, KLDiMPProcessing

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PAIR_MEAN = IMAGENET_MEAN * 2
PAIR_STD = IMAGENET_STD * 2
"""Both halves are normalised alike: the student starts as a copy of an RGB network."""

CENTER_JITTER = {'train': 3.0, 'test': 4.5}
SCALE_JITTER = {'train': 0.25, 'test': 0.5}
PROPOSAL_SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.3)
KINDS = ('none', 'boxes', 'boxes and scores')
DENSITIES: dict[str, Any] = {'gt_sigma': (0.05, 0.05), 'proposal_sigma': ((0.05, 0.05), (0.5, 0.5))}
"""Deviations (centre, size) of PrDiMP's label of a box and of its proposals, in relative coordinates."""


def cross_modal_processing(output_sz: int = 288, feature_sz: int = 18, *, search_area_factor: float = 5.0,
                           target_filter_sz: int = 4, label_sigma: float = 0.05,
                           center_jitter: Mapping[str, float] | None = None,
                           scale_jitter: Mapping[str, float] | None = None, proposals: int = 8,
                           proposal_sigmas: tuple[float, ...] = PROPOSAL_SIGMAS, min_iou: float = 0.1,
                           brightness: float = 0.2, flip: float = 0.5, crop_type: str = 'replicate',
                           max_scale_change: float | None = None, densities: str = 'none') -> DiMPProcessing:
    """Processing of paired samples, with the settings of DiMP.

    Takes what `PairedSampler` emits. Gives `train_images`, `test_images` float32 `(1, 6, S, S)`, normalised;
    `train_anno`, `test_anno` `(1, 4)`, `xywh` in px of the branch's own crop; `test_proposals`
    `(1, proposals, 4)` and `proposal_iou` `(1, proposals)`, `train_label`, `test_label`, all of the branch's
    own box. Under a loader with `stack_dim=1` a batch axis follows the frame axis. What PrDiMP and SuperDiMP learn
    from comes in place of that: with `densities='boxes'` proposals are drawn from a mixture of normal densities, and
    `proposal_density`, `gt_density` `(1, proposals)` stand for `proposal_iou`; with `'boxes and scores'`,
    `train_label_density` and `test_label_density` stand for the labels as well.

    Args:
        output_sz: side S of the crops, px.
        feature_sz: side of the feature map, cells; S / 16 for the networks of the toolkit.
        search_area_factor: side of a crop over the size of the target.
        target_filter_sz: side of the target filter, cells.
        label_sigma: spread of the Gaussian label, relative to the feature map.
        center_jitter, scale_jitter: by branch (`train` = reference, `test`); DiMP's values by default.
        proposals: boxes a test frame.
        proposal_sigmas: spreads that proposals are drawn with.
        min_iou: least overlap of a proposal with the box.
        brightness: greatest relative change of brightness, common to both modalities of a branch.
        flip: probability of a horizontal flip, drawn for each branch on its own.
        crop_type, max_scale_change: of `DiMPProcessing`.
        densities: what is told as a density: `'none'`, `'boxes'`, or `'boxes and scores'`.

    Raises:
        ValueError: another word for `densities`.
    """
    if densities not in KINDS:
        raise ValueError(f'densities must be one of {KINDS}, not {densities!r}')

    def transform() -> tfm.Transform:
        return tfm.Transform(tfm.ToTensorAndJitter(brightness), tfm.RandomHorizontalFlip(flip),
                             tfm.Normalize(mean=PAIR_MEAN, std=PAIR_STD))

    common: dict[str, Any] = {
        'search_area_factor': search_area_factor, 'output_sz': output_sz, 'crop_type': crop_type,
        'max_scale_change': max_scale_change, 'center_jitter_factor': dict(center_jitter or CENTER_JITTER),
        'scale_jitter_factor': dict(scale_jitter or SCALE_JITTER), 'mode': 'sequence',
        'train_transform': transform(), 'test_transform': transform()}
    label: dict[str, Any] = {'feature_sz': feature_sz, 'sigma_factor': label_sigma, 'kernel_sz': target_filter_sz}
    if densities == 'none':
        return DiMPProcessing(label_function_params=label, proposal_params={
            'min_iou': min_iou, 'boxes_per_frame': proposals, 'sigma_factor': list(proposal_sigmas)}, **common)
    labels: dict[str, Any] = ({'label_density_params': {**label, 'normalize': True}} if densities == KINDS[-1]
                              else {'label_function_params': label})
    return KLDiMPProcessing(proposal_params={**DENSITIES, 'boxes_per_frame': proposals}, **labels, **common)


def split(images: Tensor) -> tuple[Tensor, Tensor]:
    """Take pairs apart.

    Args:
        images: `(..., 6, H, W)`.

    Returns:
        RGB and TIR, `(..., 3, H, W)` each; views, gradient flows.

    Raises:
        ValueError: there are not six channels.
    """
    if images.dim() < 3 or images.shape[-3] != 6:
        raise ValueError(f'pairs have shape (..., 6, H, W), not {tuple(images.shape)}')
    return images[..., :3, :, :], images[..., 3:, :, :]
