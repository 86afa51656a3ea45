"""A data set in a format of its own: `sequences.json` lists folders of images and their boxes.

    {"horse": {"frames": "horse/images", "boxes": [[10, 20, 30, 40], ...]}, ...}
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ltr.admin.errors import UserError
from pytracking.evaluation import BaseDataset, Sequence, SequenceList
from pytracking.evaluation.local import local_env_settings


class PocketSet(BaseDataset):
    """Sequences of `sequences.json`.

    Args:
        root: its folder (`--data DIR`); by default that of PYTRACKING_POCKET_SET_PATH.
    """

    def __init__(self, root: Path | None = None) -> None:
        given = root or local_env_settings().pocket_set_path
        self.root = Path(given) if given else Path('.')
        if not (self.root / 'sequences.json').is_file():
            raise UserError(f'pocket_set: no sequences.json in {self.root}: give --data DIR or set '
                            'PYTRACKING_POCKET_SET_PATH')

    def get_sequence_list(self) -> SequenceList:
        """All sequences, in the order of their names."""
        listed = json.loads((self.root / 'sequences.json').read_text(encoding='utf-8'))
        return SequenceList((self._sequence(name, **listed[name]) for name in sorted(listed)), self.protocol)

    def _sequence(self, name: str, frames: str, boxes: list[list[float]]) -> Sequence:
        images = sorted(str(path) for path in (self.root / frames).iterdir())
        if len(images) != len(boxes):
            raise UserError(f'pocket_set: {name} has {len(images)} images and {len(boxes)} boxes')
        return Sequence(name, images, 'pocket_set', np.array(boxes))
