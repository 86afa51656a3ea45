"""Runs of consecutive frames, which trackers with a memory of the scene train on."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from ltr.admin.errors import UserError
from ltr.data.frame_draws import draw_frames, runs
from ltr.data.sampler import TrackingSampler


class TestConsecutiveFrames:
    @pytest.mark.parametrize('seed', range(5))
    def test_runs_as_found_by_looking_at_every_window(self, seed):
        visible = (np.random.default_rng(seed).random(40) < 0.8).tolist()
        for length in (1, 2, 5, 40, 41):
            assert runs(visible, length) == [i for i in range(40 - length + 1) if all(visible[i:i + length])]

    def test_draws(self):
        visible = [True] * 30
        visible[12] = False
        random.seed(0)
        draws = [draw_frames(visible, 3, 6, 4, 'consecutive') for _ in range(2000)]
        assert {train[0] for train, _ in draws} == set(range(7)) | set(range(13, 25))
        for train, test in draws:
            assert test == list(range(train[0], train[0] + 6)) and 12 not in test
            assert len(train) == 3 and all(train[0] - 4 <= i <= train[0] and visible[i] for i in train)
        assert any(train[1] < train[0] for train, _ in draws)

    def test_nothing_long_enough(self):
        with pytest.raises(UserError, match=r'3 test frames \(consecutive\) cannot be drawn'):
            draw_frames([True, True, False, True, True], 1, 3, 4, 'consecutive')

    def test_sequences_with_gaps_are_left_out(self):
        class Blinking:
            """The first is seen in every other frame, the second in all but one."""

            def get_name(self):
                return 'blinking'

            def is_video_sequence(self):
                return True

            def get_num_sequences(self):
                return 2

            __len__ = get_num_sequences

            def get_sequence_info(self, index):
                frames = torch.arange(40)
                return {'visible': frames % 2 == 0 if index == 0 else frames != 11}

        def usable(mode: str) -> list[bool]:
            sampler = TrackingSampler([Blinking()], None, 1, 10, num_test_frames=5, frame_sample_mode=mode)
            return [sampler._is_usable(0, index) for index in range(2)]
        assert usable('causal') == [True, True] and usable('consecutive') == [False, True]
        sampler = TrackingSampler([Blinking()], None, 1, 10, num_test_frames=29, frame_sample_mode='consecutive')
        with pytest.raises(UserError, match=r'none of its 2 sequences .* of them 29 visible one after another'):
            sampler[0]
