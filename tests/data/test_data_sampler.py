"""Samplers: what a sample holds, which sequences are usable, and what bad files do."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
import torch

from ltr.admin.errors import UserError
from ltr.data.image_loader import BadFrameError
from ltr.data.sampler import ATOMSampler, DiMPSampler, TrackingSampler
from ltr.dataset import BaseImageDataset, BaseVideoDataset, FolderVideo


class Video(BaseVideoDataset):
    """Sequences of given visibility; frame i has grey value i."""

    def __init__(self, *visible, name='video'):
        super().__init__(name)
        self.visible = [torch.tensor(flags, dtype=torch.bool) for flags in visible]
        self.asked = 0
        self.broken: set[int] = set()

    def get_num_sequences(self):
        return len(self.visible)

    def get_sequence_info(self, seq_id):
        self.asked += 1
        visible = self.visible[seq_id]
        boxes = torch.tensor([[2.0, 3, 10, 10]]).repeat(len(visible), 1) + seq_id
        return {'bbox': boxes, 'valid': visible, 'visible': visible}

    def get_frames(self, seq_id, frame_ids, anno=None):
        if seq_id in self.broken:
            raise BadFrameError(f'cannot read sequence {seq_id}', f'file{seq_id}')
        anno = anno or self.get_sequence_info(seq_id)
        frames = [np.full((30, 40, 3), i, np.uint8) for i in frame_ids]
        return frames, {k: [v[i] for i in frame_ids] for k, v in anno.items()}, {'object_class_name': 'cat'}


class Stills(BaseImageDataset):
    """Says which frame ids it was asked for."""

    def get_num_sequences(self):
        return 3

    def get_sequence_info(self, seq_id):
        return {'bbox': torch.ones(1, 4), 'valid': torch.ones(1, dtype=torch.bool),
                'visible': torch.ones(1, dtype=torch.bool)}

    def get_frames(self, seq_id, frame_ids, anno=None):
        frames = [np.full((4, 4, 3), i, np.uint8) for i in frame_ids]
        return frames, {'bbox': [torch.ones(4) for _ in frame_ids]}, {}


GOOD = [True] * 30


def test_sample_contents():
    random.seed(0)
    sampler = DiMPSampler([Video(GOOD)], None, 7, 5, num_test_frames=2, num_train_frames=3)
    data = sampler[0]
    assert len(sampler) == 7
    assert list(data) == ['train_images', 'train_anno', 'test_images', 'test_anno', 'dataset', 'test_class',
                          'files']
    assert len(data['train_images']) == len(data['train_anno']) == 3 and len(data['test_images']) == 2
    assert data['dataset'] == 'video' and data['test_class'] == 'cat'
    train, test = ([int(image[0, 0, 0]) for image in data[key]] for key in ('train_images', 'test_images'))
    assert max(train[1:]) < train[0] < min(test)


def test_processing_gets_the_sample():
    sampler = TrackingSampler([Video(GOOD)], [1], 1, 5, 1, processing=lambda data: {'keys': sorted(data)})
    assert 'test_anno' in sampler[0]['keys']


def test_atom_sampler_draws_in_both_directions_of_time():
    random.seed(0)
    sampler = ATOMSampler([Video(GOOD)], [1], 1, 10)
    pairs = [(int(d['train_images'][0][0, 0, 0]), int(d['test_images'][0][0, 0, 0])) for d in
             (sampler[0] for _ in range(300))]
    assert {np.sign(test - train) for train, test in pairs} == {-1, 0, 1}


def test_image_sets_repeat_frame_one():
    data = TrackingSampler([Stills('stills')], None, 1, 5, num_test_frames=2, num_train_frames=3)[0]
    assert [int(image[0, 0, 0]) for image in data['train_images'] + data['test_images']] == [1] * 5


def test_dataset_probabilities():
    random.seed(0)
    sets = [Video(GOOD, name='a'), Video(*[GOOD] * 3, name='b'), Stills('c')]
    for weights, expected in ((None, (1 / 7, 3 / 7, 3 / 7)), ([2, 0, 2], (0.5, 0, 0.5))):
        sampler = TrackingSampler(sets, weights, 1, 5, 1)
        counts = Counter(sampler[0]['dataset'] for _ in range(3000))
        assert [counts[name] / 3000 for name in 'abc'] == pytest.approx(expected, abs=0.03)


def test_usable_sequences_only():
    random.seed(0)
    barely = [True] * 9 + [False] * 20  # more than 2 * (3 + 1) visible, at least 20 long
    video = Video([True] * 19, [True] * 8 + [False] * 30, barely, GOOD)
    sampler = TrackingSampler([video], None, 1, 5, num_test_frames=1, num_train_frames=3)
    used = Counter(int(sampler[0]['test_anno'][0][0]) - 2 for _ in range(600))
    assert set(used) == {2, 3} and min(used.values()) > 240
    short = TrackingSampler([video], None, 1, 5, 1, 3, min_length=19)
    assert 0 in {int(short[0]['test_anno'][0][0]) - 2 for _ in range(200)}


def test_one_usable_sequence_among_thousands_is_found_and_remembered():
    random.seed(0)
    video = Video(*[[False] * 30] * 3000, GOOD)
    sampler = TrackingSampler([video], None, 1, 5, 1)
    assert int(sampler[0]['test_anno'][0][0]) == 3002
    before = video.asked
    assert int(sampler[0]['test_anno'][0][0]) == 3002
    assert video.asked - before < 5


@pytest.mark.parametrize('video', [Video([True] * 19, name='short clips'), Video(name='short clips')])
def test_a_set_without_usable_sequences_is_an_error(video):
    with pytest.raises(UserError, match=r'short clips.*20 frames or more \(min_length\).*than 4 visible'):
        TrackingSampler([video], [1], 1, 5, 1)[0]


def test_one_bad_file_is_skipped_and_said_once(caplog):
    random.seed(0)
    video = Video(GOOD, GOOD, GOOD, GOOD)
    video.broken = {2}
    sampler = TrackingSampler([video], None, 1, 5, 1)
    used = {int(sampler[0]['test_anno'][0][0]) - 2 for _ in range(100)}
    assert used == {0, 1, 3}
    assert sampler.bad_frames.failures > 10 and sampler.bad_frames.files == 1
    assert [record.getMessage() for record in caplog.records] == ['skipped: cannot read sequence 2']


def test_mostly_bad_files_are_an_error():
    random.seed(0)
    video = Video(GOOD, GOOD, GOOD, GOOD)
    video.broken = {0, 1, 2}
    sampler = TrackingSampler([video], None, 1, 5, 1)
    with pytest.raises(UserError, match=r'of the last .* cannot read sequence'):
        for _ in range(100):
            sampler[0]
    video.broken = {0, 1, 2, 3}
    with pytest.raises(UserError, match='26 of the last 26'):
        TrackingSampler([video], None, 1, 5, 1)[0]


def test_unreadable_file_and_box_outside_in_a_folder(video_root, caplog):
    random.seed(0)
    for i in range(1, 31):
        (video_root / 'second' / 'img' / f'{i}.png').write_bytes(b'\x89PNG broken' if i % 2 else b'')
    rows = ['10,8,12,10'] * 25 + ['100,8,12,10'] * 5
    (video_root / 'first' / 'groundtruth_rect.txt').write_text('\n'.join(rows))
    def draw(sampler, which):  # four times of five from the folder that is mostly good
        seq_id = random.choice([0] * 4 + [1])
        return seq_id, sampler.datasets[which].get_sequence_info(seq_id)

    sampler = DiMPSampler([FolderVideo(video_root)], None, 1, 3, 1)
    sampler._draw_sequence = lambda which: draw(sampler, which)
    for _ in range(60):
        data = sampler[0]
        assert int(data['test_images'][0][0, 0, 0]) < 25
    assert any('outside the image' in record.getMessage() for record in caplog.records)
    assert any('cut off' in record.getMessage() for record in caplog.records)


def test_same_seed_same_samples():
    def once():
        random.seed(3)
        sampler = DiMPSampler([Video(GOOD, GOOD), Stills('stills')], None, 1, 8, 2, 2)
        return [[int(image[0, 0, 0]) for image in sampler[0]['train_images']] for _ in range(30)]
    assert once() == once()


def test_bad_settings():
    with pytest.raises(UserError, match='no training data'):
        TrackingSampler([], None, 1, 5, 1)
    with pytest.raises(ValueError, match='p_datasets'):
        TrackingSampler([Video(GOOD)], [1, 1], 1, 5, 1)
    with pytest.raises(ValueError, match='p_datasets'):
        TrackingSampler([Video(GOOD)], [0], 1, 5, 1)
    with pytest.raises(ValueError, match='frame_sample_mode'):
        TrackingSampler([Video(GOOD)], None, 1, 5, 1, frame_sample_mode='any')
    with pytest.raises(ValueError, match='train frame'):
        TrackingSampler([Video(GOOD)], None, 1, 5, 1, num_train_frames=0)
