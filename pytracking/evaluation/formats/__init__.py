"""Result files of other toolkits: what they are called, how they are read and written.

All hold what ours hold, `xywh` in px of the image and in the coordinates of the data set's own ground truth: nothing
is shifted by a pixel.

    tab, comma, blank  <seq>.txt, a line of x, y, w, h a frame; tab is ours
    corners            <seq>.txt, a line of x1 y1 x2 y2 x3 y3 x4 y4 a frame; read as the upright box around them
    mat                <seq>_<tracker>.mat of MATLAB toolkits in the manner of OTB, LSOTB-TIR's among them
    got10k             <seq>/<seq>_001.txt, comma separated
    vot                <seq>/<seq>_001.txt or <seq>_001.txt, comma separated; codes in place of boxes

Whatever separates the numbers, and whether a line has four or eight, the reader of the first four finds out itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pytracking.evaluation.data import Sequence
from pytracking.evaluation.formats import mat, text, vot


@dataclass(frozen=True)
class ResultFormat:
    """One way to keep a tracker's boxes of a sequence.

    Attributes:
        places: (sequence, tracker) -> names of the file below the results folder, the one to write first.
        read: (file, sequence) -> (n, 4) `xywh` image px; raises UserError for what is no such file.
        write: (file, boxes); makes folders; numbers have 4 decimals, but those of `mat`.
        times: sequence -> name of the file of seconds a frame, where the form has one.
        named_by_tracker: the file's name ends in the tracker's.
    """

    places: Callable[[str, str], tuple[str, ...]]
    read: Callable[[Path, Sequence], np.ndarray]
    write: Callable[[Path, np.ndarray], None]
    times: Callable[[str], str] | None = None
    named_by_tracker: bool = False


def _plain(name: str, tracker: str) -> tuple[str, ...]:
    return (f'{name}.txt',)


def _repeated(name: str, tracker: str) -> tuple[str, ...]:
    return (f'{name}/{name}_001.txt', f'{name}_001.txt')


FORMATS = {
    'tab': ResultFormat(_plain, text.read, text.writer('\t'), '{}_time.txt'.format),
    'comma': ResultFormat(_plain, text.read, text.writer(','), '{}_time.txt'.format),
    'blank': ResultFormat(_plain, text.read, text.writer(' '), '{}_time.txt'.format),
    'corners': ResultFormat(_plain, text.read, text.write_corners, '{}_time.txt'.format),
    'mat': ResultFormat(lambda name, tracker: (f'{name}_{tracker}.mat',), mat.read, mat.write, named_by_tracker=True),
    'got10k': ResultFormat(_repeated, text.read, text.writer(','), '{0}/{0}_time.txt'.format),
    'vot': ResultFormat(_repeated, vot.read, vot.write),
}
