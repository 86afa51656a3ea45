"""Frames that could not be used: counted over worker processes, named once, told at the end."""

from __future__ import annotations

import logging

import pytest
import torch.utils.data

from ltr.admin.errors import UserError
from ltr.data.bad_frames import BadFrameCounter
from ltr.data.image_loader import BadFrameError


class Draws(torch.utils.data.Dataset):
    """Every fourth draw fails first, by one of two files; warnings are appended to a file."""

    def __init__(self, log):
        self.counter, self.log = BadFrameCounter(), log

    def __len__(self):
        return 40

    def __getitem__(self, index):
        handler = logging.FileHandler(self.log)
        logging.getLogger('ltr.data.bad_frames').addHandler(handler)
        if index % 4 == 0:
            self.counter.bad(BadFrameError('no such image', f'file {index % 8}'))
        self.counter.good()
        logging.getLogger('ltr.data.bad_frames').removeHandler(handler)
        handler.close()
        return index


@pytest.mark.parametrize('workers', [0, 2])
def test_counts_of_workers_and_epochs_reach_the_main_process(tmp_path, workers):
    draws = Draws(tmp_path / 'log')
    assert draws.counter.summary() == ''
    for _ in range(2):
        assert len(list(torch.utils.data.DataLoader(draws, batch_size=4, num_workers=workers))) == 10
    assert (draws.counter.failures, draws.counter.files) == (20, 2)
    assert draws.counter.summary() == 'skipped: 20 draws because of 2 files that could not be used'
    lines = (tmp_path / 'log').read_text().splitlines()
    # Two workers may meet a file at the same moment; later epochs never name it again.
    assert set(lines) == {'skipped: no such image'} and 2 <= len(lines) <= 2 * max(workers, 1)


def test_mostly_bad_is_an_error():
    counter = BadFrameCounter()
    for _ in range(25):
        counter.bad(BadFrameError('no', 'a'))
    with pytest.raises(UserError, match=r'26 of the last 26 training samples could not be read; .*: no$'):
        counter.bad(BadFrameError('no', 'a\udcff'))
