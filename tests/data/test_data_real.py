"""Real labelled data goes through the whole chain."""

from __future__ import annotations

import random

import pytest
import torch

from ltr.admin.errors import UserError
from ltr.data import LTRLoader
from ltr.data import transforms as tfm
from ltr.data.processing import ATOMProcessing, DiMPProcessing
from ltr.data.sampler import ATOMSampler, DiMPSampler
from ltr.dataset import CocoImages, FolderVideo, open_dataset

JITTER = {'train': 3.0, 'test': 4.5}
SCALES = {'train': 0.25, 'test': 0.5}
PROPOSALS = {'boxes_per_frame': 8, 'min_iou': 0.1, 'sigma_factor': [0.01, 0.05, 0.1, 0.2, 0.3]}


def test_folders_are_recognised(shared_data):
    videos, stills = open_dataset(shared_data / 'rgb'), open_dataset(shared_data / 'rgb_stills')
    assert isinstance(videos, FolderVideo) and len(videos) == 56 and not videos.skipped
    assert isinstance(stills, CocoImages) and len(stills) + stills.skipped == 1987
    assert len(stills) > 1900
    thermal = FolderVideo(shared_data / 'tir')
    assert sorted(len(sequence.frames) for sequence in thermal.sequences) == [220, 220, 220, 348]
    with pytest.raises(UserError):
        open_dataset(shared_data / 'pairs')


def test_dimp_batches_of_videos_and_stills(shared_data):
    random.seed(0)
    torch.manual_seed(0)
    label = {'feature_sz': 18, 'sigma_factor': 0.05, 'kernel_sz': 4}
    steps = tfm.Transform(tfm.ToTensorAndJitter(0.2),
                          tfm.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    processing = DiMPProcessing(5, 288, JITTER, SCALES, mode='sequence', proposal_params=PROPOSALS,
                                label_function_params=label, transform=steps,
                                joint_transform=tfm.ToGrayscale(0.05))
    sets = [FolderVideo(shared_data / 'rgb'), CocoImages(shared_data / 'rgb_stills')]
    sampler = DiMPSampler(sets, [1, 1], 20, 30, 3, 3, processing=processing, min_length=15)
    batches = list(LTRLoader('train', sampler, batch_size=10, stack_dim=1))
    for batch in batches:
        assert batch['train_images'].shape == (3, 10, 3, 288, 288)
        assert batch['test_proposals'].shape == (3, 10, 8, 4)
        assert all(torch.isfinite(value).all() for value in batch.values() if isinstance(value, torch.Tensor))
        assert (batch['proposal_iou'] > -0.8).float().mean() > 0.9
        assert batch['train_label'].flatten(2).amax(dim=2).median() > 0.5
    assert {name for batch in batches for name in batch['dataset']} == {'rgb', 'rgb_stills'}
    assert sampler.bad_frames.failures == 0


def test_atom_pairs_of_thermal_video(shared_data):
    random.seed(0)
    torch.manual_seed(0)
    processing = ATOMProcessing(5, 288, {'train': 0, 'test': 4.5}, {'train': 0, 'test': 0.5}, PROPOSALS)
    sampler = ATOMSampler([open_dataset(shared_data / 'tir')], None, 6, 50, processing=processing)
    batch = next(iter(LTRLoader('train', sampler, batch_size=6)))
    assert batch['train_images'].shape == (6, 3, 288, 288) and batch['proposal_iou'].shape == (6, 8)
    centre = batch['train_anno'][:, :2] + batch['train_anno'][:, 2:] / 2
    torch.testing.assert_close(centre, torch.full((6, 2), 143.5), atol=1e-2, rtol=0)
