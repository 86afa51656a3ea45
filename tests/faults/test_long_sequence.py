"""Memory does not grow with the length of a sequence."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr.models.tracking.dimpnet import dimpnet_small
from pytracking.evaluation import Sequence, Tracker
from pytracking.features.net_wrappers import NetWithBackbone
from pytracking.parameter.dimp import dimp_small
from tests.evaluation.test_atom_tracker import video

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not sys.platform.startswith('linux'), reason='reads /proc')]
FRAMES = 20_000


def memory() -> float:
    """Resident memory of this process, MB."""
    gc.collect()
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * 4096 / 1e6


class Watch:
    """Progress of a run that notes the memory at some frames."""

    def __init__(self, *at: int) -> None:
        self.frame, self.at, self.seen = 0, at, []

    def __call__(self, frames: int) -> None:
        self.frame += frames
        if self.frame in self.at:
            self.seen.append(memory())

    @property
    def growth(self) -> float:
        return self.seen[-1] - self.seen[0]


def endless(folder: Path, frames: int) -> Sequence:
    """A few pictures, over and over."""
    pictures, boxes = video(4, step=0)
    names = []
    for number, picture in enumerate(pictures):
        names.append(str(folder / f'{number}.png'))
        assert cv2.imwrite(names[-1], picture)
    return Sequence('endless', [names[number % 4] for number in range(frames)], 'test', np.repeat(boxes[:1], frames, 0))


def test_20000_frames(tmp_path, monkeypatch):
    """What is kept is the result: four numbers and a time a frame, about 300 bytes."""
    monkeypatch.setenv('PYTRACKING_PLUGINS', 'tests=tests.evaluation.dummy_plugin')
    watch = Watch(2_000, FRAMES)
    output = Tracker('dummy', 'default', results_path=tmp_path).run_sequence(endless(tmp_path, FRAMES), progress=watch)
    print(f'\nrunning layer: {watch.growth:.1f} MB between frames 2,000 and {FRAMES:,}')
    assert len(output['target_bbox']) == FRAMES and watch.growth < 16


def test_dimp(tmp_path, monkeypatch):
    """The real tracker for 1,200 frames; its memory of samples is full, and goes round, from frame 200 on."""
    params = dimp_small.parameters()
    torch.manual_seed(0)
    params.net = NetWithBackbone(dimpnet_small().eval(), use_gpu=False)
    monkeypatch.setattr(Tracker, 'get_parameters', lambda self: params)
    watch = Watch(200, 1_200)
    Tracker('dimp', 'dimp_small', results_path=tmp_path).run_sequence(endless(tmp_path, 1_200), progress=watch)
    print(f'\nDiMP: {watch.growth:.1f} MB between frames 200 and 1,200')
    assert watch.growth < 3
