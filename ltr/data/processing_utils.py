"""The pieces of training-time processing in one place: crops, proposals and labels."""

from __future__ import annotations

from ltr.data.crops import (
    CROP_TYPES,
    TooSmallBoxError,
    Window,
    atom_window,
    box_to_atom_crop,
    box_to_window,
    cut,
    dimp_window,
    sample_target,
)
from ltr.data.labels import gaussian_label_function
from ltr.data.proposals import draw_proposals, perturb_box

__all__ = [
    'CROP_TYPES',
    'TooSmallBoxError',
    'Window',
    'atom_window',
    'box_to_atom_crop',
    'box_to_window',
    'cut',
    'dimp_window',
    'draw_proposals',
    'gaussian_label_function',
    'perturb_box',
    'sample_target',
]
