"""Drawing, skipping what is broken, and the way through the loader."""

from __future__ import annotations

import logging
import random

import numpy as np
import pytest
import torch

from cmd_plugin.data import CenterArea, PairedDataset, PairedSampler, cross_modal_processing
from cmd_plugin.errors import UserError
from ltr.data import LTRLoader


@pytest.fixture
def good(tmp_path, write_pair):
    """Ten pairs of noise."""
    for number in range(10):
        write_pair('set', f'{number}.png', size=(48, 64))
    return PairedDataset(tmp_path)


def seed_all(seed: int) -> None:
    np.random.seed(seed)
    random.seed(seed)
    torch.manual_seed(seed)


def test_sample_before_processing(good):
    np.random.seed(0)
    sample = PairedSampler(good, CenterArea(), 4)[0]
    assert list(sample) == ['train_images', 'train_anno', 'test_images', 'test_anno', 'dataset', 'test_class',
                            'files']
    assert sample['dataset'] == 'pairs'
    for branch in ('train', 'test'):
        assert sample[f'{branch}_images'][0].shape == (48, 64, 6)
        torch.testing.assert_close(sample[f'{branch}_anno'][0], torch.tensor([27.2, 19.2, 9.6, 9.6]))


def test_both_frames_are_one_pair_and_all_pairs_are_drawn(good):
    np.random.seed(0)
    sampler = PairedSampler(good, CenterArea(), 200)
    pairs = [good.read(i) for i in range(10)]
    counts = np.zeros(10, int)
    for number in range(len(sampler)):
        sample = sampler[number]
        np.testing.assert_array_equal(sample['train_images'][0], sample['test_images'][0])
        counts[[np.array_equal(sample['test_images'][0], pair) for pair in pairs].index(True)] += 1
    # 200 uniform draws over 10: expectation 20, standard deviation 4.2.
    assert counts.sum() == 200 and counts.min() > 5 and counts.max() < 40


def test_the_global_numpy_seed_decides_the_draw(good):
    def drawn(seed: int) -> list[np.ndarray]:
        np.random.seed(seed)
        sampler = PairedSampler(good, CenterArea(), 5)
        return [sampler[i]['test_images'][0] for i in range(5)]
    assert np.array_equal(drawn(3), drawn(3))
    assert not np.array_equal(drawn(3), drawn(4))


def test_bad_pairs_are_skipped_named_once_and_counted(tmp_path, write_pair, good, caplog):
    cut, _ = write_pair('set', '10.jpg', size=(48, 64))
    cut.write_bytes(cut.read_bytes()[:-300])
    _, odd = write_pair('set', '11.png', size=(48, 64), tir_size=(24, 32))
    dataset = PairedDataset(tmp_path)
    assert len(dataset) == 12
    sampler = PairedSampler(dataset, CenterArea(), 300)
    np.random.seed(0)
    with caplog.at_level(logging.WARNING):
        samples = [sampler[i] for i in range(300)]
    assert all(sample['test_images'][0].shape == (48, 64, 6) for sample in samples)
    lines = sorted(record.getMessage() for record in caplog.records)
    assert len(lines) == 2
    assert lines[0].startswith(f'skipped: image {cut} is cut short')
    assert '64 x 48' in lines[1] and f'{odd} is 32 x 24' in lines[1]
    assert not any('\n' in line for line in lines)
    # Two of twelve draws fail: 300 good samples take about 60 skips.
    assert 30 < sampler.skipped < 100
    assert sampler.summary() == f'skipped: {sampler.skipped} draws of 2 pairs that could not be used'


def test_nothing_skipped_nothing_said(good):
    sampler = PairedSampler(good, CenterArea(), 3)
    sampler[0]
    assert sampler.skipped == 0 and sampler.summary() == ''


def test_when_most_pairs_are_bad_it_stops(tmp_path, write_pair):
    write_pair('set', 'good.png')
    for number in range(9):
        write_pair('set', f'{number}.png', tir_size=(5, 5))
    sampler = PairedSampler(PairedDataset(tmp_path), CenterArea(), 1000)
    np.random.seed(0)
    with pytest.raises(UserError, match=r'26 of the last \d+ pairs drawn could not be used; .*12 x 8.*5 x 5'):
        for number in range(1000):
            sampler[number]


def test_a_few_bad_pairs_never_stop_it(tmp_path, write_pair, good):
    write_pair('set', '10.png', tir_size=(5, 5))
    sampler = PairedSampler(PairedDataset(tmp_path), CenterArea(), 1500)
    np.random.seed(0)
    for number in range(1500):
        sampler[number]
    assert sampler.skipped > 50


def test_through_the_loader(good):
    sampler = PairedSampler(good, CenterArea(), 4, cross_modal_processing(96, 6))
    loader = LTRLoader('train', sampler, training=True, batch_size=2, num_workers=0, stack_dim=1)
    seed_all(0)
    batches = list(loader)
    assert len(batches) == 2
    shapes = {key: tuple(value.shape) for key, value in batches[0].items() if isinstance(value, torch.Tensor)}
    assert shapes == {
        'train_images': (1, 2, 6, 96, 96), 'test_images': (1, 2, 6, 96, 96), 'train_anno': (1, 2, 4),
        'test_anno': (1, 2, 4), 'test_proposals': (1, 2, 8, 4), 'proposal_iou': (1, 2, 8),
        'train_label': (1, 2, 7, 7), 'test_label': (1, 2, 7, 7)}


@pytest.mark.slow
def test_worker_processes_count_their_skips(tmp_path, write_pair, good):
    write_pair('set', '10.png', tir_size=(5, 5))
    sampler = PairedSampler(PairedDataset(tmp_path), CenterArea(), 200, cross_modal_processing(96, 6))
    seed_all(0)
    loader = LTRLoader('train', sampler, training=True, batch_size=10, num_workers=2, stack_dim=1)
    first = torch.cat([batch['train_anno'] for batch in loader], dim=1)
    assert first.shape == (1, 200, 4)
    assert sampler.skipped > 0
    seed_all(0)
    assert torch.equal(first, torch.cat([batch['train_anno'] for batch in loader], dim=1))
