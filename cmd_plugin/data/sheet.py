"""A picture of drawn samples: what the two branches will be shown, with their boxes and labels."""

from __future__ import annotations

import random

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cmd_plugin.data.processing import PAIR_MEAN, PAIR_STD, split
from cmd_plugin.data.sampler import PairedSampler
from pytracking import TensorDict

BOX_COLOUR = (80, 255, 80)
PROPOSAL_COLOUR = (255, 160, 60)
LABEL_COLOUR = (255, 60, 60)
GAP = 4
HEADER = 24
TITLES = ('reference RGB', 'reference TIR', 'test RGB', 'test TIR')


def sample_sheet(sampler: PairedSampler, samples: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw samples and lay them out, one a row: reference RGB, reference TIR, test RGB, test TIR.

    Every panel shows the branch's own box (green) and the centre of its label (red dot); the test branch also
    shows the proposals (orange). Seeds the global generators of numpy, `random` and torch.

    Args:
        sampler: with `cross_modal_processing`.
        samples: number of rows.
        seed: decides everything.

    Returns:
        uint8 `(H, W, 3)`, RGB.
    """
    np.random.seed(seed % 2 ** 32)
    random.seed(seed)
    torch.manual_seed(seed % 2 ** 64)
    rows = [_row(sampler[number]) for number in range(samples)]
    header = np.full((HEADER, rows[0].shape[1], 3), 255, np.uint8)
    for column, title in enumerate(TITLES):
        left = column * rows[0].shape[1] // len(TITLES) + GAP
        cv2.putText(header, title, (left, HEADER - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1)
    return np.concatenate([header, *rows], axis=0)


def to_pixels(image: Tensor) -> NDArray[np.uint8]:
    """Undo the normalisation: `(6, H, W)` to uint8 `(H, W, 6)`."""
    mean, std = (torch.tensor(value).view(6, 1, 1) for value in (PAIR_MEAN, PAIR_STD))
    return ((image * std + mean) * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def _row(sample: TensorDict) -> NDArray[np.uint8]:
    """The four panels of one sample."""
    panels = []
    for branch in ('train', 'test'):
        for half in split(torch.from_numpy(to_pixels(sample[f'{branch}_images'][0])).permute(2, 0, 1)):
            panel = np.ascontiguousarray(half.permute(1, 2, 0).numpy())
            if branch == 'test':
                for proposal in sample['test_proposals'][0]:
                    _draw_box(panel, proposal, PROPOSAL_COLOUR)
            _draw_box(panel, sample[f'{branch}_anno'][0], BOX_COLOUR, thickness=2)
            _draw_label(panel, sample[f'{branch}_label'][0])
            panels.append(np.pad(panel, ((GAP, 0), (0, GAP), (0, 0)), constant_values=255))
    return np.concatenate(panels, axis=1)


def _draw_box(panel: NDArray[np.uint8], box: Tensor, colour: tuple[int, int, int],
              thickness: int = 1) -> None:
    """Outline of a box, `xywh` in crop px."""
    x, y, w, h = (float(value) for value in box)
    cv2.rectangle(panel, (round(x), round(y)), (round(x + w), round(y + h)), colour, thickness)


def _draw_label(panel: NDArray[np.uint8], label: Tensor) -> None:
    """Dot at the centre of mass of a label `(cells, cells)`; cells are 16 px apart, the features' stride."""
    if label.max() > 0.5:
        cells = 16 * torch.arange(label.shape[-1])
        x, y = (float((label.sum(axis) * cells).sum() / label.sum()) for axis in (0, 1))
        cv2.circle(panel, (round(x), round(y)), 4, LABEL_COLOUR, -1)
