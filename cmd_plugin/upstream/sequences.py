"""LSOTB-TIR and PTB-TIR as evaluation sets of the stock toolkit.

`<root>/<any>/<seq>/img/*` + `<root>/<any>/<seq>/groundtruth_rect.txt`; names come from the folders. The root is
PYTRACKING_LSOTB_TIR_PATH (PYTRACKING_PTB_TIR_PATH), or `lsotb_tir_path` in the toolkit's `local.py`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from cmd_plugin.errors import UserError
from cmd_plugin.upstream.stopping import stops
from pytracking.evaluation.data import BaseDataset, Sequence, SequenceList
from pytracking.evaluation.local import local_env_settings

TRUTH, FRAMES = 'groundtruth_rect.txt', 'img'
IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff')


def lsotb_tir() -> ThermalDataset:
    """LSOTB-TIR, as `dataset_dict` makes it."""
    return ThermalDataset('lsotb_tir')


def ptb_tir() -> ThermalDataset:
    """PTB-TIR, as `dataset_dict` makes it."""
    return ThermalDataset('ptb_tir')


class ThermalDataset(BaseDataset):
    """Sequences below a directory, at any depth; each starts at the first frame whose four values are all > 0.

    Args:
        name: of the data set.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @stops
    def get_sequence_list(self) -> SequenceList:
        """All sequences, by name.

        Raises:
            UserError: no root, no sequence, or one whose rows do not fit its images; ends the process.
        """
        root = root_of(self.name)
        folders = sorted(path.parent for path in root.rglob(TRUTH))
        if not folders:
            raise UserError(f'no sequence below {root}: expected <seq>/{FRAMES} + <seq>/{TRUTH}')
        count = Counter(folder.name for folder in folders)
        made = [self._sequence(folder, folder.name if count[folder.name] == 1
                               else '_'.join(folder.relative_to(root).parts)) for folder in folders]
        return SequenceList(sorted(made, key=lambda sequence: str(sequence.name)))

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.get_sequence_list())

    def _sequence(self, folder: Path, name: str) -> Sequence:
        frames = sorted((path for path in (folder / FRAMES).glob('*') if path.suffix.lower() in IMAGES),
                        key=lambda path: _natural(path.stem))
        boxes = read_boxes(folder / TRUTH)
        if len(boxes) != len(frames) and not (len(boxes) == 1 and frames):
            raise UserError(f'{folder / TRUTH} has {len(boxes)} rows, but {folder / FRAMES} has {len(frames)} images')
        with np.errstate(invalid='ignore'):
            valid = (boxes > 0).all(axis=1)
        if not valid.any():
            raise UserError(f'{folder / TRUTH} has no row whose x, y, w, h are all > 0')
        start = int(valid.argmax())
        return Sequence(name, [str(path) for path in frames[start:]], self.name, boxes[start:])


def root_of(name: str) -> Path:
    """Folder of a data set. Raises `UserError` where it is not set or does not exist."""
    variable = f'PYTRACKING_{name.upper()}_PATH'
    given: Any = os.environ.get(variable) or getattr(local_env_settings(), f'{name}_path', '')
    if not given:
        raise UserError(f'no folder is set for the data set {name!r}: set {variable}, or {name}_path in the '
                        'toolkit\'s pytracking/evaluation/local.py')
    root = Path(given).expanduser()
    if not root.is_dir():
        raise UserError(f'the folder of the data set {name!r} does not exist: {root}')
    return root


def read_boxes(path: Path) -> np.ndarray:
    """Boxes of a text file, (n, 4) float `xywh`, image px; commas, semicolons, tabs or blanks separate.

    Raises:
        UserError: a line is not four numbers.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding='utf-8-sig', errors='replace').rstrip().splitlines(), 1):
        cells = [cell for cell in re.split(r'[,;\s]+', line.strip()) if cell]
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            row = []
        if len(row) != 4:
            raise UserError(f'{path}, line {number}: expected 4 numbers, found {line[:60]!r}')
        rows.append(row)
    return np.array(rows, dtype=float).reshape(-1, 4)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Numbers in a name count as numbers: frame 2 before frame 10."""
    return [(0, int(part), '') if part.isdecimal() else (1, 0, part) for part in re.split(r'(\d+)', name) if part]
