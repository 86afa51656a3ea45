"""What a sampler has cached must not change what it draws: resumed runs start without a cache."""

from __future__ import annotations

import random

import numpy as np
import torch

from ltr.data.sampler import DiMPSampler
from ltr.dataset.base import BaseVideoDataset


class RareVideo(BaseVideoDataset):
    """One usable sequence among 5,000."""

    def __init__(self) -> None:
        super().__init__('rare')

    def get_num_sequences(self) -> int:
        return 5000

    def get_sequence_info(self, seq_id: int):
        length = 40 if seq_id == 4321 else 3
        return {'bbox': torch.tensor([[10.0, 10, 20, 20]]).repeat(length, 1), 'valid': torch.ones(length),
                'visible': torch.ones(length, dtype=torch.bool)}

    def get_frames(self, seq_id: int, frame_ids, anno=None):
        image = np.zeros((60, 60, 3), np.uint8)
        return [image for _ in frame_ids], {'bbox': [torch.tensor([float(i), 10, 20, 20]) for i in frame_ids]}, {}


def drawn(sampler: DiMPSampler, seed: int) -> list[float]:
    random.seed(seed)
    torch.manual_seed(seed)
    np.random.seed(seed)
    return [float(box[0]) for _ in range(3) for box in sampler[0]['train_anno']]


def test_draws_do_not_depend_on_earlier_epochs():
    fresh, used = (DiMPSampler([RareVideo()], None, 10, 30, 3, 3) for _ in range(2))
    drawn(used, seed=1)
    assert drawn(used, seed=2) == drawn(fresh, seed=2)
