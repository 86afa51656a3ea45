"""The loader: shapes of batches, reproducible workers, and one-line errors."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
import torch

from ltr.admin import distributed
from ltr.admin.errors import UserError
from ltr.data import LTRLoader
from ltr.data.loader import collate
from ltr.data.processing import DiMPProcessing
from ltr.data.sampler import DiMPSampler
from ltr.dataset import FolderVideo
from ltr.tensors import TensorDict


def seed(number: int) -> None:
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def make_sampler(root, samples=8, **more) -> DiMPSampler:
    processing = DiMPProcessing(
        5, 64, {'train': 3, 'test': 4.5}, {'train': 0.25, 'test': 0.5}, mode='sequence',
        proposal_params={'boxes_per_frame': 4, 'min_iou': 0.1, 'sigma_factor': [0.1, 0.3]},
        label_function_params={'feature_sz': 4, 'sigma_factor': 0.05, 'kernel_sz': 4})
    return DiMPSampler([FolderVideo(root)], [1], samples, 10, num_test_frames=2, num_train_frames=3,
                       processing=processing, **more)


@pytest.mark.parametrize('workers', [0, 2])
def test_frames_come_first_with_stack_dim_1(video_root, workers):
    # A pool of OpenCV threads in the parent must not hang forked workers.
    cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (4000, 4000))
    loader = LTRLoader('train', make_sampler(video_root), batch_size=4, num_workers=workers, stack_dim=1)
    batches = list(loader)
    assert len(batches) == len(loader) == 2
    for batch in batches:
        assert isinstance(batch, TensorDict)
        assert batch['train_images'].shape == (3, 4, 3, 64, 64)
        assert batch['test_anno'].shape == (2, 4, 4)
        assert batch['test_proposals'].shape == (2, 4, 4, 4) and batch['proposal_iou'].shape == (2, 4, 4)
        assert batch['train_label'].shape == (3, 4, 5, 5)
        assert batch['dataset'] == ['videos'] * 4 and batch['test_class'] == [None] * 4


@pytest.mark.parametrize('workers', [0, 2])
def test_same_seed_same_batches(video_root, workers):
    def once():
        seed(5)
        loader = LTRLoader('train', make_sampler(video_root), batch_size=4, num_workers=workers, stack_dim=1)
        return [batch for batch in loader for _ in range(2)]
    first, second = once(), once()
    assert all(torch.equal(a[key], b[key]) for a, b in zip(first, second, strict=True)
               for key in a if isinstance(a[key], torch.Tensor))
    assert not torch.equal(first[0]['train_anno'], first[-1]['train_anno'])


def test_attributes_and_defaults(video_root):
    loader = LTRLoader('val', make_sampler(video_root, samples=5), training=False, epoch_interval=5,
                       batch_size=2, drop_last=True)
    assert (loader.name, loader.training, loader.epoch_interval, loader.stack_dim) == ('val', False, 5, 0)
    assert len(loader) == 2
    assert next(iter(loader))['train_images'].shape == (2, 3, 3, 64, 64)


class Drawn:
    """Data set whose samples tell what they draw, and a number that `remember` sets in a worker."""

    number = 0

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return index, random.random(), np.random.rand(), torch.rand(()).item(), self.number


def remember(worker_id: int) -> None:
    Drawn.number = 10 + worker_id


def test_worker_init_fn_is_called():
    loader = LTRLoader('x', Drawn(), batch_size=4, num_workers=2, worker_init_fn=remember)
    assert [batch[4].tolist() for batch in loader] == [[10] * 4, [11] * 4]


def drawn(workers: int, number: int = 1, **more) -> torch.Tensor:
    """Samples of an epoch in their order, (samples, 4): index and three drawn numbers."""
    seed(0)
    loader = LTRLoader('x', Drawn(), batch_size=4, num_workers=workers, **more)
    loader.generator = torch.Generator().manual_seed(number)
    return torch.cat([torch.stack([part.double() for part in batch[:4]], dim=1) for batch in loader])


@pytest.mark.parametrize('shuffle', [False, True])
def test_what_a_sample_draws_depends_on_its_place_alone(shuffle):
    first = drawn(0, shuffle=shuffle)
    assert torch.equal(first, drawn(2, shuffle=shuffle))
    assert first[:, 1:].unique().numel() == 24 and sorted(first[:, 0].tolist()) == list(range(8))
    assert not torch.equal(first[:, 1], drawn(0, number=2, shuffle=shuffle)[:, 1])


@pytest.mark.parametrize('shuffle', [False, True])
def test_processes_share_each_batch(monkeypatch, shuffle):
    whole = drawn(0, shuffle=shuffle)
    monkeypatch.setattr(distributed, 'world', lambda: 2)
    parts = []
    for rank in (0, 1):
        monkeypatch.setattr(distributed, 'rank', lambda rank=rank: rank)
        parts.append(drawn(rank, shuffle=shuffle).split(2))
    assert torch.equal(whole, torch.cat([part for batch in zip(*parts, strict=True) for part in batch]))


def test_drawing_samples_leaves_the_generators_alone():
    def after(samples):
        seed(3)
        list(samples)
        return random.random(), np.random.rand(), torch.rand(()).item()
    loader = LTRLoader('x', Drawn(), batch_size=4)
    loader.generator = torch.Generator().manual_seed(1)
    assert after(loader) == after([])


class Threads:
    """Data set whose samples tell the number of OpenCV's threads."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return cv2.getNumThreads()


def test_workers_do_not_use_the_threads_of_opencv():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        assert next(iter(LTRLoader('x', Threads(), batch_size=2, num_workers=1))).tolist() == [1, 1]
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_own_collate_fn():
    assert list(LTRLoader('x', [1, 2, 3, 4], batch_size=2, collate_fn=sum)) == [3, 7]


@pytest.mark.parametrize('workers', [0, 1])
def test_a_user_error_is_one_line(video_root, workers):
    sampler = make_sampler(video_root, min_length=99)
    with pytest.raises(UserError) as caught:
        list(LTRLoader('train', sampler, num_workers=workers))
    message = str(caught.value)
    assert message.startswith('data set videos: none of its 2 sequences') and '\n' not in message


def test_collate_kinds():
    first = {'image': torch.zeros(3, 5), 'scalar': torch.tensor(1.0), 'number': 2, 'name': 'a', 'none': None,
             'array': np.zeros(4, np.float32), 'list': [torch.zeros(2), 'x'], 'uneven': [1], 'flag': True}
    second = {**first, 'number': 3, 'name': 'b', 'uneven': [1, 2]}
    batch = collate([first, second], stack_dim=1)
    assert isinstance(batch, TensorDict) and list(batch) == list(first)
    assert batch['image'].shape == (3, 2, 5) and batch['scalar'].shape == (2,)
    assert batch['array'].shape == (4, 2)
    assert batch['number'].tolist() == [2, 3] and batch['flag'].tolist() == [True, True]
    assert batch['name'] == ['a', 'b'] and batch['none'] == [None, None] and batch['uneven'] == [[1], [1, 2]]
    assert batch['list'][0].shape == (2, 2) and batch['list'][1] == ['x', 'x']
    assert torch.equal(collate([torch.zeros(2), torch.ones(2)]), torch.tensor([[0.0, 0], [1, 1]]))
